import { DatabaseError } from "../error.ts";
import type { Row, TableSide } from "../types.ts";
import { rendersInSql } from "./expressions.ts";
import { keyTable } from "./find_rows.ts";
import { joinedTexts, rowTextSql } from "./hash_sql.ts";
import { arrayText, quoteTable } from "./identifier.ts";
import { converter, fromClause, readings } from "./select.ts";
import type { Session } from "./session.ts";

/** Deletes the rows with these keys. */
export async function deleteRows(session: Session, side: TableSide, keys: Row[]): Promise<void> {
  const table = keyTable(side, keys);
  const context = { table: side.table.id };
  const deleted = await session.execute(
    `delete from ${quoteTable(side.table)} t using ${table.from} where ${table.condition}`,
    table.values,
    context,
  );
  if (deleted !== keys.length) {
    const words = `${deleted} rows of ${side.table.id} were deleted and not ${keys.length}`;
    throw new DatabaseError("other", `${words}: a trigger or a rule is in the way`, context);
  }
}

/** Deletes so many of the rows that are equal to each, by their place in the table; returns how many that were. */
export async function deleteEqualRows(
  session: Session,
  side: TableSide,
  rows: { row: Row; count: number }[],
): Promise<number> {
  const context = { table: side.table.id };
  const columns = side.columns.map((column, at) => ({ column, form: side.forms[at], at }));
  // What SQL cannot render is compared here.
  const rendered = columns.filter(({ column, form }) => rendersInSql(column, form));
  const rest = columns.filter(({ column, form }) => !rendersInSql(column, form));
  const restReadings = rest.map(({ at }) => readings(side)[at]);
  const convert = converter(side, rest.map(({ at }) => at));
  const given = joinedTexts(rendered.map(({ form }, n) => {
    return { text: `k.k${n}`, output: `k.k${n}`, form, nullable: true };
  }));
  const equal = rendered.length === 0 ? "true" : `${rowTextSql(rendered)} = ${given} collate "C"`;
  const from = rendered.length === 0
    ? "generate_series(1, 1) k(number)"
    : `unnest(${rendered.map((_, n) => `$${n + 1}::text[]`).join(", ")}) with ordinality k(${
      [...rendered.map((_, n) => `k${n}`), "number"].join(", ")
    })`;
  const candidates = await session.query(
    `select k.number, t.tableoid, t.ctid${restReadings.map(({ sql }) => `, ${sql}`).join("")} ` +
      `from (select *, tableoid, ctid ${fromClause(side)}) t, ${from} where ${equal}`,
    rendered.map(({ at }) => arrayText(rows.map(({ row }) => row[at]))),
    context,
  );
  const left = rows.map(({ count }) => count);
  const places: { table: string; place: string }[] = [];
  for (const [number, table, place, ...texts] of candidates) {
    const values = convert(texts);
    const wanted = rendered.length === 0 ? rows.keys() : [Number(number) - 1];
    for (const at of wanted) {
      if (left[at] === 0 || !rest.every((column, n) => rows[at].row[column.at] === values[n])) continue;
      left[at]--;
      places.push({ table: table as string, place: place as string });
      break;
    }
  }
  return await session.execute(
    `delete from ${quoteTable(side.table)} t using unnest($1::oid[], $2::tid[]) d(o, c) ` +
      `where t.tableoid = d.o and t.ctid = d.c`,
    [arrayText(places.map(({ table }) => table)), arrayText(places.map(({ place }) => place))],
    context,
  );
}
