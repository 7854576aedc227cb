import { rowHash } from "../row_text.ts";
import type { Row } from "../types.ts";
import type { DatabaseRun, Entity } from "./database_run.ts";
import type { Side } from "./decide.ts";
import type { DifferenceFile } from "./difference_file.ts";
import { onSide } from "./failure.ts";
import { rowHasGone } from "./fetch_rows.ts";
import type { EntityPlan } from "./plan.ts";
import { type GroupReading, readGroup } from "./read_groups.ts";
import type { SegmentGroup } from "./segments.ts";

/** Up to so many rows are asked for by their hashes; for more the table is read and hashed here. */
const FEW = 2000;
/** Hashes held in memory. */
const MOST_WANTED = 300_000;
const BATCH_ROWS = 1000;

/** Compares tables without a key: each row counts as often as it is there. */
export async function compareLoose(
  run: DatabaseRun,
  entity: Entity,
  reading: GroupReading,
  group: SegmentGroup,
  differences: DifferenceFile | undefined,
): Promise<void> {
  const { result, plan } = entity as Entity & { plan: EntityPlan };
  const wanted = { source: new Map<bigint, number>(), target: new Map<bigint, number>() };
  const takeRows = async (side: Side) => {
    const hashes = wanted[side];
    wanted[side] = new Map();
    if (hashes.size === 0 || run.request.dryRun && differences === undefined) return;
    const change = side === "source" ? "insert" : "delete";
    for await (const [row, count] of findRows(reading, side, hashes)) {
      run.progress.checkpoint();
      if (!run.request.dryRun) plan.loose[change].add([row, count]);
      const both = { source: undefined, target: undefined, [side]: row };
      for (let n = 0; n < count; n++) {
        differences?.add(entity, reading.pair, { side: "target", change, key: row, ...both });
      }
    }
  };
  for await (const portion of readGroup(reading, group)) {
    for (const { source, target } of portion.values()) {
      const surplus = new Map<bigint, number>();
      for (const { hash } of source) surplus.set(hash, (surplus.get(hash) ?? 0) + 1);
      for (const { hash } of target) surplus.set(hash, (surplus.get(hash) ?? 0) - 1);
      for (const [hash, count] of surplus) {
        if (count > 0) {
          wanted.source.set(hash, count);
          result.inserted += count;
        } else if (count < 0 && run.request.deleteMissingInTarget) {
          wanted.target.set(hash, -count);
          result.deleted -= count;
          result.overwritten -= count;
        }
      }
    }
    if (wanted.source.size > MOST_WANTED) await takeRows("source");
    if (wanted.target.size > MOST_WANTED) await takeRows("target");
  }
  await takeRows("source");
  await takeRows("target");
}

async function* findRows(
  { pair, method, snapshots }: GroupReading,
  side: Side,
  wanted: Map<bigint, number>,
): AsyncGenerator<[row: Row, count: number]> {
  if (wanted.size <= FEW) {
    const hashes = [...wanted.keys()];
    const rows = await onSide(side, () => snapshots[side].rowsByHash(pair[side], method, hashes));
    for (const [i, hash] of hashes.entries()) {
      const row = rows[i];
      if (row === undefined) throw rowHasGone(side, pair);
      yield [row, wanted.get(hash) as number];
    }
    return;
  }
  const left = new Map(wanted);
  for await (const rows of snapshots[side].all(pair[side], BATCH_ROWS)) {
    for (const row of rows) {
      const hash = rowHash(pair[side], row);
      const count = left.get(hash);
      if (count === undefined) continue;
      left.delete(hash);
      yield [row, count];
    }
  }
  if (left.size > 0) throw rowHasGone(side, pair);
}
