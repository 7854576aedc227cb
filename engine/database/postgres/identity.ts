import type { TableSide } from "../types.ts";
import { quote, quoteTable } from "./identifier.ts";
import type { Session } from "./session.ts";

/** Sets the sequences that number a table's columns on their highest value, and none of them back. */
export async function advanceIdentity(session: Session, side: TableSide): Promise<void> {
  const context = { table: side.table.id };
  for (const { name, identity } of side.columns) {
    if (!identity) continue;
    const sequences = await session.query(
      `select s.oid::regclass::text from pg_depend d join pg_class s on s.oid = d.objid and s.relkind = 'S'
       join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
       where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
         and d.refobjid = $1::regclass and a.attname = $2`,
      [quoteTable(side.table), name],
      context,
    );
    for (const [sequence] of sequences) {
      await session.query(
        `select setval($1::regclass, m) from (select max(${quote(name)})::bigint as m from ${
          quoteTable(side.table)
        }) t, ` +
          `${sequence} s where m > s.last_value or m = s.last_value and not s.is_called`,
        [sequence],
        context,
      );
    }
  }
}
