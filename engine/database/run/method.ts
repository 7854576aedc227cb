import type { Connection } from "../dialect.ts";
import type { HashMethod } from "../types.ts";
import type { TablePair } from "./pairing.ts";

/** PostgreSQL's first version with `hash_record_extended`, and its first with `hashtextextended`. */
const RECORD_HASH = 14;
const TEXT_HASH = 11;

/** Whether both are tables of SQLite files, which are the only ones whose columns tell how they store. */
export function areFiles({ source, target }: Pick<TablePair, "source" | "target">): boolean {
  return [...source.columns, ...target.columns].every(({ storage }) => storage !== undefined);
}

/** The fastest hash that both sides compute alike. */
export function chooseMethod({ source, target }: TablePair, from: Connection, to: Connection): HashMethod {
  const rendered = source.columns.every((column, i) => {
    return from.rendersInSql(column, source.forms[i]) && to.rendersInSql(target.columns[i], target.forms[i]);
  });
  const [a, b] = [from.server, to.server];
  // Rows without a key are found by their hash, which must be one that can be computed here.
  if (a.engine === "postgres" && b.engine === "postgres" && source.key.length > 0) {
    const sameTypes = source.columns.every(({ type, logical }, i) => {
      const other = target.columns[i];
      // A domain's name may stand for another type on the other side.
      return type === other.type && JSON.stringify(logical) === JSON.stringify(other.logical);
    });
    if (a.major === b.major && a.major >= RECORD_HASH && sameTypes) return "record";
    if (a.major >= TEXT_HASH && b.major >= TEXT_HASH && rendered) return "text64";
  }
  // Values of two SQLite files that have a form in common are the same where they are stored alike.
  if (areFiles({ source, target }) && source.key.length > 0) return "stored";
  return rendered ? "md5" : "client";
}
