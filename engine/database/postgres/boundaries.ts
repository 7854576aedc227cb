import type { TableSide } from "../types.ts";
import { canonicalSql, reference } from "./expressions.ts";
import { quoteTable } from "./identifier.ts";
import type { Session } from "./session.ts";

/** Tables up to this many rows are cut exactly. */
const SMALL = 50_000;
/** Rows of a sample for each segment. */
const SAMPLED = 10;
/** Segments between two values of the sample, where numbers between them can be computed: pages are sampled whole, so neighbours come together. */
const STEPS = 8;

/** See `Snapshot.boundaries`. */
export async function boundaries(session: Session, side: TableSide, rowsPerSegment: number): Promise<string[]> {
  const [at] = side.key;
  const column = side.columns[at];
  const name = reference(column);
  const text = canonicalSql(column, side.forms[at]);
  const total = Math.max(await estimate(session, side), 1);
  const context = { table: side.table.id };
  if (total <= SMALL) {
    const numbered = `select ${text} as b, row_number() over (order by ${name}) as n ${fromSample(side, "")}`;
    const rows = await session.query(
      `select b from (${numbered}) s where n % $1 = 0 order by n`,
      [rowsPerSegment],
      context,
    );
    return distinct(rows.map(([boundary]) => boundary as string));
  }
  const segments = Math.ceil(total / rowsPerSegment);
  const percent = Math.min(100, 100 * Math.max(segments * SAMPLED, SMALL) / total);
  const isNumber = side.forms[at] === "integer";
  const quantiles = isNumber ? Math.ceil(segments / STEPS) : segments;
  const sample =
    `select ${text} as b, ntile($1) over (order by ${name}) as tile, row_number() over (order by ${name}) as n ` +
    fromSample(side, canSample(side) ? `tablesample system (${percent}) repeatable (0)` : "");
  const rows = await session.query(
    `select b from (select b, n, tile, lag(tile) over (order by n) as before, lead(tile) over (order by n) as after ` +
      `from (${sample}) s) q where tile is distinct from before or after is null order by n`,
    [quantiles],
    context,
  );
  const values = distinct(rows.map(([boundary]) => boundary as string));
  // The first value and the last are the ends of the table.
  return (isNumber ? between(values, STEPS) : values).slice(1, -1);
}

/** The server's estimate of the table's rows at this moment. */
async function estimate(session: Session, { table }: TableSide): Promise<number> {
  const pages = "greatest(pg_relation_size(c.oid) / current_setting('block_size')::integer, 1)";
  const [[rows]] = await session.query(
    `select sum(case when c.reltuples <= 0 or c.relpages <= 0 then pg_relation_size(c.oid) / 100.0 ` +
      `else c.reltuples / c.relpages * ${pages} end)::bigint from pg_class c ` +
      `where c.oid = $1::regclass or c.oid in (select relid from pg_partition_tree($1::regclass) where isleaf)`,
    [quoteTable(table)],
    { table: table.id },
  );
  return Number(rows);
}

function canSample({ table }: TableSide): boolean {
  return table.kind !== "view";
}

function fromSample({ table, filter }: TableSide, sample: string): string {
  return `from (select * from ${quoteTable(table)} ${sample} where (${filter ?? "true"}\n)) t`;
}

function distinct(values: string[]): string[] {
  return values.filter((value, at) => at === 0 || value !== values[at - 1]);
}

/** Ascending whole numbers with `steps - 1` more between each two, evenly. */
function between(values: string[], steps: number): string[] {
  const numbers = values.map(BigInt);
  const all: string[] = [];
  for (let at = 0; at + 1 < numbers.length; at++) {
    const width = numbers[at + 1] - numbers[at];
    for (let step = 0; step < steps; step++) all.push(String(numbers[at] + width * BigInt(step) / BigInt(steps)));
  }
  return distinct([...all, ...values.slice(-1)]);
}
