import { createHash } from "node:crypto";
import type { SyncDatabaseRequest } from "../../request.ts";
import type { ConnectionSpec, HashMethod } from "../../types.ts";
import type { TablePair } from "../pairing.ts";

/** Grows where the meaning of what is stored changes: an older baseline is then none. */
const VERSION = 3;

/** What must be the same for a baseline's hashes to mean anything: how rows are hashed, and which. */
export function baselineShape({ source, target }: TablePair, method: HashMethod): string {
  const columns = source.columns.map(({ name, type }, i) => {
    return [name, type, target.columns[i].name, target.columns[i].type, source.forms[i]];
  });
  return JSON.stringify([VERSION, method, columns, source.key, source.filter ?? null]);
}

/** Where the baseline of a pair of tables lies. */
export function baselinePath(directory: string, request: SyncDatabaseRequest, { source, target }: TablePair): string {
  const place = ({ engine, host, port, database }: ConnectionSpec) => [engine, host, port, database];
  const identity = [place(request.source), source.table.id, place(request.target), target.table.id];
  const digest = createHash("sha256").update(JSON.stringify(identity)).digest("hex");
  return `${directory}/db-${digest.slice(0, 32)}.db`;
}
