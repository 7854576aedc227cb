import { DatabaseError } from "../error.ts";
import type { Column, ForeignKey, Table, TableName } from "../types.ts";
import { logicalType } from "./logical_type.ts";
import type { Session, TextRow } from "./session.ts";

/** Relations that can be read as tables, by `pg_class.relkind`; a foreign table can be read, and is written on its own server. */
const KINDS: Record<string, Table["kind"]> = { r: "table", p: "partitioned", v: "view", m: "view", f: "view" };

const RELATIONS = `from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_(toast|temp_|catalog$)' and n.nspname <> 'information_schema'`;

/**
 * Finds what a user named, exactly first, then ignoring case. A name with its schema comes before one that only looks like it, and one
 * on the search path before others.
 *
 * @throws DatabaseError `missing`, `ambiguous`
 */
export async function findTable(session: Session, entity: string): Promise<Table> {
  for (const [column, parameter] of [["%", "$1"], ['lower(% collate "default")', 'lower($1 collate "default")']]) {
    const of = (text: string) => column.replace("%", `(${text})::text`);
    const rows = await session.query(
      `select c.oid, n.nspname, c.relname, ${
        of("n.nspname || '.' || c.relname")
      } = ${parameter}, pg_table_is_visible(c.oid) ` +
        `${RELATIONS} and (${of("c.relname")} = ${parameter} or ${
          of("n.nspname || '.' || c.relname")
        } = ${parameter}) ` +
        `order by n.nspname, c.relname`,
      [entity],
    );
    const [table, ...others] = best(rows);
    if (table === undefined) continue;
    if (others.length === 0) return await describe(session, table[0] as string);
    const names = [table, ...others].map(([, schema, name]) => `${schema}.${name}`);
    throw new DatabaseError("ambiguous", `${entity} may be ${names.join(" or ")}: name one of these`);
  }
  throw new DatabaseError("missing", `There is no table ${entity} in the database`, { table: entity });
}

function best(rows: TextRow[]): TextRow[] {
  const qualified = rows.filter((row) => row[3] === "t");
  if (qualified.length > 0) return qualified;
  const visible = rows.filter((row) => row[4] === "t");
  return visible.length > 0 ? visible : rows;
}

async function describe(session: Session, oid: string): Promise<Table> {
  const [[schema, name, kind, rows, triggers]] = await session.query(
    `select n.nspname, c.relname, c.relkind, case when c.relkind = 'p' then
       (select sum(greatest(p.reltuples, 0)) from pg_class p where p.oid in
         (select relid from pg_partition_tree(c.oid) where isleaf))
       when c.reltuples < 0 then pg_relation_size(c.oid) / 100 else c.reltuples end::bigint,
       exists (select from pg_trigger g where g.tgrelid = c.oid and not g.tgisinternal and g.tgenabled in ('O', 'A'))
     ${RELATIONS} and c.oid = $1`,
    [oid],
  );
  const columns = await describeColumns(session, oid);
  const { key, unique } = await describeKeys(session, oid);
  return {
    ...tableName(schema as string, name as string),
    kind: KINDS[kind as string],
    columns,
    key,
    unique,
    foreignKeys: await describeForeignKeys(session, oid),
    estimatedRows: Number(rows),
    triggers: triggers === "t",
  };
}

function tableName(schema: string, name: string): TableName {
  return { schema, name, id: `${schema}.${name}` };
}

async function describeColumns(session: Session, oid: string): Promise<Column[]> {
  // A foreign table's NOT NULL is a promise that nobody keeps. Domains are looked through to the type that they are made of, whose modifier may be at any of them.
  const rows = await session.query(
    `with recursive base(attnum, oid, modifier, required) as (
       select a.attnum, a.atttypid, a.atttypmod, a.attnotnull and c.relkind <> 'f'
       from pg_attribute a join pg_class c on c.oid = a.attrelid
       where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped
       union all
       select b.attnum, y.typbasetype, case when b.modifier = -1 then y.typtypmod else b.modifier end, b.required or y.typnotnull
       from base b join pg_type y on y.oid = b.oid where y.typtype = 'd')
     select a.attname, format_type(a.atttypid, a.atttypmod), not (b.required or y.typnotnull and y.typtype = 'd'),
       a.attgenerated <> '', a.attidentity <> '' or exists (
         select from pg_depend d join pg_class s on s.oid = d.objid and s.relkind = 'S'
         where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
         and d.refobjid = a.attrelid and d.refobjsubid = a.attnum and d.deptype in ('a', 'i')),
       a.atthasdef or a.attidentity <> '', l.collname, l.collisdeterministic,
       y.typname, tn.nspname, b.modifier, format_type(b.oid, b.modifier), y.typtype,
       (select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = b.oid)
     from base b join pg_type y on y.oid = b.oid and y.typtype <> 'd' join pg_namespace tn on tn.oid = y.typnamespace
     join pg_attribute a on a.attrelid = $1 and a.attnum = b.attnum
     left join pg_collation l on l.oid = a.attcollation
     order by a.attnum`,
    [oid],
  );
  return rows.map((row) => {
    const [name, type, nullable, generated, identity, hasDefault, collation, deterministic] = row;
    const [typeName, typeSchema, modifier, baseType, typeKind, labels] = row.slice(8);
    const column: Column = {
      name: name as string,
      type: type as string,
      logical: logicalType({
        name: typeName as string,
        isBuiltIn: typeSchema === "pg_catalog",
        modifier: Number(modifier),
        spelling: baseType as string,
        labels: typeKind === "e" ? JSON.parse(labels ?? "[]") : undefined,
      }),
      nullable: nullable === "t",
      generated: generated === "t",
      identity: identity === "t",
      hasDefault: hasDefault === "t" && generated !== "t",
    };
    if (typeName === "citext") column.collation = { name: "citext", deterministic: false };
    else if (collation !== null) column.collation = { name: collation, deterministic: deterministic === "t" };
    return column;
  });
}

async function describeKeys(session: Session, oid: string): Promise<{ key: string[]; unique: string[][] }> {
  // A constraint that may wait is no arbiter of conflicts; an index over computed columns says nothing about the others.
  const rows = await session.query(
    `select i.indisprimary, bool_and(a.attnotnull) and i.indimmediate and not bool_or(a.attgenerated <> ''),
       json_agg(a.attname order by k.position), c.relname
     from pg_index i join pg_class c on c.oid = i.indexrelid
     cross join unnest(i.indkey::smallint[]) with ordinality k(attnum, position)
     left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
     where i.indrelid = $1 and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
       and k.position <= i.indnkeyatts
     group by i.indexrelid, i.indisprimary, i.indimmediate, c.relname
     order by not i.indisprimary, count(*), c.relname`,
    [oid],
  );
  const indexes = rows.map(([, usable, columns]) => ({
    usable: usable === "t",
    columns: JSON.parse(columns as string) as string[],
  }));
  const key = indexes.find((index) => index.usable);
  return { key: key?.columns ?? [], unique: indexes.filter((index) => index !== key).map(({ columns }) => columns) };
}

const ON_DELETE: Record<string, ForeignKey["onDelete"]> = {
  a: "no action",
  r: "restrict",
  c: "cascade",
  n: "set null",
  d: "set default",
};

async function describeForeignKeys(session: Session, oid: string): Promise<ForeignKey[]> {
  const names = (relation: string, numbers: string) =>
    `(select json_agg(a.attname order by k.position) from unnest(${numbers}) with ordinality k(attnum, position)
      join pg_attribute a on a.attrelid = ${relation} and a.attnum = k.attnum)`;
  const rows = await session.query(
    `select f.conname, ${names("f.conrelid", "f.conkey")}, n.nspname, c.relname, ${names("f.confrelid", "f.confkey")},
       f.condeferrable, f.confdeltype
     from pg_constraint f join pg_class c on c.oid = f.confrelid join pg_namespace n on n.oid = c.relnamespace
     where f.conrelid = $1 and f.contype = 'f' and (f.conparentid = 0 or exists (
       select from pg_constraint p where p.oid = f.conparentid and p.conrelid <> f.conrelid))
     order by f.conname`,
    [oid],
  );
  return rows.map(([name, columns, schema, table, referenced, deferrable, onDelete]) => ({
    name: name as string,
    columns: JSON.parse(columns as string),
    table: tableName(schema as string, table as string).id,
    referenced: JSON.parse(referenced as string),
    deferrable: deferrable === "t",
    onDelete: ON_DELETE[onDelete as string],
  }));
}
