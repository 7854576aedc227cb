import type { Column, Row, Table } from "../types.ts";

/**
 * The key and the other unique keys from the columns of unique indexes: name, column, length of a prefix, nullable, kind of index.
 * Indexes over expressions or prefixes of values are neither.
 */
export function chooseKeys(rows: Row[], columns: Column[]): Pick<Table, "key" | "unique"> {
  const whole = new Map<string, string[]>();
  const usable = new Set<string>();
  const generated = new Set(columns.filter((column) => column.generated).map((column) => column.name));
  for (const [index] of rows) usable.add(index!);
  const partial = new Set(
    rows.filter(([, column, prefix]) => column === null || prefix !== null).map(([index]) => index!),
  );
  for (const [index, column, , nullable, kind] of rows) {
    if (partial.has(index!)) continue;
    whole.set(index!, [...(whole.get(index!) ?? []), column!]);
    // A hash, which MariaDB makes for long values, finds rows one by one and cannot be read in order.
    if (nullable === "YES" || kind === "HASH" || generated.has(column!)) usable.delete(index!);
  }
  const candidates = [...whole].filter(([index]) => usable.has(index))
    .sort(([a, one], [b, other]) => Number(b === "PRIMARY") - Number(a === "PRIMARY") || one.length - other.length);
  const chosen = candidates[0];
  return {
    key: chosen?.[1] ?? [],
    unique: [...whole].filter(([index]) => index !== chosen?.[0]).map(([, names]) => names),
  };
}
