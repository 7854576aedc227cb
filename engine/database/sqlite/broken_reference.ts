import type { DatabaseSync } from "node:sqlite";
import { DatabaseError } from "../error.ts";
import { Query } from "./query.ts";

/** Names what refers to nothing, which a commit's own error does not. */
export function brokenReference(
  database: DatabaseSync,
  written: Iterable<string>,
  error: DatabaseError,
): DatabaseError {
  const check = new Query(
    database,
    'SELECT "table", parent FROM pragma_foreign_key_check(?) WHERE parent LIKE ? LIMIT 1',
  );
  const referring = new Query(
    database,
    "SELECT DISTINCT m.name FROM sqlite_schema m, pragma_foreign_key_list(m.name) f " +
      `WHERE m.type = 'table' AND f."table" = ? COLLATE NOCASE`,
  );
  for (const table of written) {
    // Its own rows, or rows of others that refer to what was deleted from it.
    const children = referring.all([table]).map(([child]) => child);
    const found = check.first([table, "%"]) ?? children.map((child) => check.first([child, table])).find(Boolean);
    if (found === undefined) continue;
    const message = `${found[0]}: a row refers to a row of ${found[1]} that is not there`;
    return new DatabaseError("foreign-key", message, { table: String(found[0]) }, { cause: error });
  }
  return error;
}
