import type { SyncDatabaseRequest } from "../request.ts";
import type { Entity } from "./database_run.ts";

/** Why a run must not go on, or undefined. */
export function refuse({ maxDelete }: SyncDatabaseRequest, entities: Entity[]): string | undefined {
  if (maxDelete !== undefined) {
    const deleted = entities.reduce((sum, { result }) => sum + result.deleted, 0);
    return deleted <= maxDelete ? undefined : `${deleted} rows would be deleted, and maxDelete is ${maxDelete}`;
  }
  const emptied = entities.filter(({ result: { deleted, sourceRows, targetRows } }) => {
    return deleted > 0 && (sourceRows === 0 || targetRows === 0);
  });
  if (emptied.length === 0) return undefined;
  const words = emptied.map(({ name, result: { deleted, sourceRows } }) => {
    return `${name} is empty in the ${
      sourceRows === 0 ? "source" : "target"
    }, and ${deleted} rows of it would be deleted`;
  });
  const all = emptied.reduce((sum, { result }) => sum + result.deleted, 0);
  return `${words.join("; ")}; set maxDelete to ${all} or more if that is meant`;
}
