import type { Connection, Snapshot } from "../dialect.ts";
import type { Bucketing, Checksum, Engine, Form } from "../types.ts";
import type { Sides } from "./database_run.ts";
import { areFiles } from "./method.ts";
import type { TablePair } from "./pairing.ts";

const ROWS_A_SEGMENT = 150;
/** Of ranges between two SQLite files, where asking for another segment costs next to nothing. */
const ROWS_A_FILE_SEGMENT = 50;
const MOST_SEGMENTS = 32_768;
/** Forms whose values both sides order alike, whatever the engines. */
const ORDERED_ANYWHERE: ReadonlySet<Form> = new Set(["integer"]);
/** The same between two servers of one engine. MariaDB orders UUIDs as each of its versions sees fit, SQLite as they are stored. */
const ORDERED_ALIKE: Record<Engine, ReadonlySet<Form>> = {
  postgres: new Set(["integer", "date", "timestamp", "uuid"]),
  mysql: new Set(["integer", "date", "timestamp"]),
  sqlite: ORDERED_ANYWHERE,
};

/** Cuts a pair of tables into segments, by the data of the side with more rows. */
export async function chooseBucketing(
  { source, target }: TablePair,
  snapshots: Sides<Snapshot>,
  rows: Sides<number>,
  { source: from, target: to }: Sides<Pick<Connection, "server">>,
): Promise<Bucketing> {
  const most = Math.max(rows.source, rows.target, 1);
  const buckets = Math.min(MOST_SEGMENTS, 2 ** Math.ceil(Math.log2(Math.max(1, most / ROWS_A_SEGMENT))));
  if (source.key.length === 0) return { scheme: "row", buckets };
  const form = source.forms[source.key[0]];
  const { engine } = from.server;
  const ordered = engine === to.server.engine ? ORDERED_ALIKE[engine] : ORDERED_ANYWHERE;
  if (source.key.length > 1 || !ordered.has(form)) return { scheme: "hash", buckets };
  const [snapshot, side] = rows.source >= rows.target ? [snapshots.source, source] : [snapshots.target, target];
  const fewest = areFiles({ source, target }) ? ROWS_A_FILE_SEGMENT : ROWS_A_SEGMENT;
  return { scheme: "range", boundaries: await snapshot.boundaries(side, rowsASegment(most, fewest)) };
}

/** Rows of a segment of the scheme `range`, of so many rows in all. */
export function rowsASegment(rows: number, fewest = ROWS_A_SEGMENT): number {
  return Math.max(fewest, Math.ceil(rows / MOST_SEGMENTS));
}

/** A segment may be so much larger than it should, and must then have so many rows, before all are cut anew. */
const UNEVEN_SHARE = 20;
const UNEVEN_ROWS = 40_000;
const GROWN = 4;

/** More rows of uneven segments are not held in memory to split these. */
const MOST_SPLIT_ROWS = 250_000;

/** What of a cut has become too uneven: nothing, these segments of the scheme `range`, or all of it. */
export type Uneven = number[] | "all" | undefined;

/** Which segments that were cut for other rows are too large for these. */
export function unevenSegments(bucketing: Bucketing, checksums: Iterable<Checksum>, rows: number): Uneven {
  if (bucketing.scheme !== "range") {
    const isUneven = bucketing.buckets < MOST_SEGMENTS && rows / bucketing.buckets > GROWN * ROWS_A_SEGMENT;
    return isUneven ? "all" : undefined;
  }
  const most = Math.max(UNEVEN_ROWS, rows / UNEVEN_SHARE);
  const large = [...checksums].filter(({ rows }) => rows > most);
  if (large.length === 0) return undefined;
  const split = large.reduce((sum, { rows }) => sum + rows, 0);
  const segments = bucketing.boundaries.length + split / rowsASegment(rows);
  if (split > MOST_SPLIT_ROWS || segments > 2 * MOST_SEGMENTS) return "all";
  return large.map(({ bucket }) => bucket).sort((a, b) => a - b);
}
