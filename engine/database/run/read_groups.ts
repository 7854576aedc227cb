import type { Bucketing, HashedRow, HashMethod } from "../types.ts";
import type { Sides, Snapshots } from "./database_run.ts";
import { allOrError } from "../../at_once.ts";
import { onSide } from "./failure.ts";
import { keyHash } from "./key_hash.ts";
import type { TablePair } from "./pairing.ts";
import { RowPartitions } from "./row_partitions.ts";
import type { SegmentGroup } from "./segments.ts";

/** Rows of both sides that neighbouring segments may have to be read together: the fewer, the more of them die young. */
export const GROUP_ROWS = 12_000;
/** Rows of both sides that are held in memory at once. */
const MOST_ROWS = 40_000;
/** Groups of segments that are read at once. */
export const LANES = 2;
const MOST_PARTITIONS = 1024;

export interface GroupReading {
  pair: TablePair;
  method: HashMethod;
  bucketing: Bucketing;
  snapshots: Snapshots;
  /** The segments that have rows, or something else by their numbers. */
  segments: Sides<ReadonlyMap<number, unknown>>;
  /** For a file of its own. */
  path: string;
  /** Called for every batch that arrives. */
  onRows(rows: number): void;
}

/** Rows of some segments, or of a part of one: the segment's rows on each side. */
export type Portion = Map<number, { source: HashedRow[]; target: HashedRow[] }>;

/**
 * Reads the hashes of a group's rows, both sides at once, and hands them out by segments, no more at a time than memory should
 * hold: too many go through a file. A segment that is too large by itself comes in several portions, each with other keys.
 */
export async function* readGroup(reading: GroupReading, group: SegmentGroup): AsyncGenerator<Portion> {
  const { pair, method, bucketing, snapshots, segments, path, onRows } = reading;
  const count = Math.min(MOST_PARTITIONS, Math.ceil(group.weight / MOST_ROWS));
  const single = group.both.length + group.sourceOnly.length === 1;
  const partitionOf = count === 1
    ? () => 0
    : single
    ? ({ key }: HashedRow) => Number(keyHash(key) % BigInt(count))
    : ({ bucket }: HashedRow) => bucket % count;
  const whole: Portion = new Map();
  using source = new RowPartitions(`${path}-source`, count);
  using target = new RowPartitions(`${path}-target`, count);
  const read = async (side: "source" | "target", buckets: number[], into: RowPartitions) => {
    if (buckets.length === 0) return;
    const own = new Set(buckets);
    const wanted = segments[side].keys().every((bucket) => own.has(bucket)) ? undefined : buckets;
    await onSide(side, async () => {
      for await (const rows of snapshots[side].hashes(pair[side], method, bucketing, wanted)) {
        if (count === 1) addTo(whole, side, rows);
        else for (const row of rows) into.add(partitionOf(row), row);
        onRows(rows.length);
      }
    });
  };
  const all = [...group.both, ...group.sourceOnly].sort((a, b) => a - b);
  await allOrError([read("source", all, source), read("target", group.both, target)]);
  if (count === 1) return yield whole;
  for (let partition = 0; partition < count; partition++) {
    const portion: Portion = new Map();
    addTo(portion, "source", source.read(partition));
    addTo(portion, "target", target.read(partition));
    yield portion;
  }
}

function addTo(portion: Portion, side: "source" | "target", rows: HashedRow[]): void {
  for (const row of rows) {
    let both = portion.get(row.bucket);
    if (both === undefined) portion.set(row.bucket, both = { source: [], target: [] });
    both[side].push(row);
  }
}
