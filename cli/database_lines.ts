/** Results of database commands as lines for people. */
import type { RowDifference, SyncDatabaseResult } from "../engine/database/mod.ts";
import { formatCount, formatDuration } from "./format.ts";

export function syncDatabaseLines({ entities, dryRun, executionTimeMs, errors }: SyncDatabaseResult): string[] {
  const lines = entities.flatMap(({ entity, created, sourceRows, inserted, updated, deleted, notes }) => [
    `${entity}: ${formatCount(sourceRows, "row")}, ${inserted} inserted, ${updated} updated, ${deleted} deleted` +
    `${created ? "; the table was made" : ""}`,
    ...notes.map((note) => `  ${note}`),
  ]);
  const changes = entities.reduce((sum, { inserted, updated, deleted }) => sum + inserted + updated + deleted, 0);
  return [
    ...lines,
    `${dryRun ? "Would change" : "Changed"} ${formatCount(changes, "row")}, ${formatCount(errors.length, "error")}, ` +
    `in ${formatDuration(executionTimeMs)}`,
  ];
}

const LONGEST = 80;

export function differenceLine({ entity, change, side, key, columns }: RowDifference): string {
  const keys = Object.entries(key).map(([name, value]) => `${name} ${show(value)}`).join(", ");
  const values = Object.entries(columns).filter(([name]) => !(name in key)).map(([name, { source, target }]) => {
    if (change !== "update") return `${name} ${show(source ?? target ?? null)}`;
    return `${name} ${show(target)} → ${show(source)}`;
  });
  const where = side === "source" ? " (in the source)" : "";
  return `${change} ${entity} (${keys})${where}${values.length === 0 ? "" : `: ${values.join(", ")}`}`;
}

function show(value: string | null | undefined): string {
  if (value === null || value === undefined) return "NULL";
  return JSON.stringify(value.length > LONGEST ? `${value.slice(0, LONGEST).toWellFormed()}…` : value);
}
