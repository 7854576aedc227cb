import type { Snapshot } from "../dialect.ts";
import type { Bucketing, HashedRow } from "../types.ts";
import { forEachAtOnce } from "../../at_once.ts";
import type { Baseline } from "./baseline/baseline.ts";
import { HashList } from "./baseline/hash_list.ts";
import { chooseBucketing } from "./bucketing.ts";
import type { DatabaseRun, Entity } from "./database_run.ts";
import type { RowState } from "./decide.ts";
import { keyHash } from "./key_hash.ts";
import type { TablePair } from "./pairing.ts";
import type { EntityPlan } from "./plan.ts";
import { GROUP_ROWS, type GroupReading, LANES, readGroup } from "./read_groups.ts";
import { groupSegments } from "./segments.ts";

/** An entity whose tables are there and whose baseline is open. */
export interface StagedEntity {
  entity: Entity;
  pair: TablePair;
  plan: EntityPlan;
  baseline: Baseline;
}

/**
 * Sets a whole baseline aside, cut anew: of each row of the source what `baseOf` says.
 * @returns how it is cut
 */
export async function stageWhole(
  run: DatabaseRun,
  { entity, pair, plan, baseline }: StagedEntity,
  source: Snapshot,
  baseOf: (row: HashedRow, keyHash: bigint) => RowState,
): Promise<Bucketing> {
  const { connections, input, progress } = run;
  const snapshots = { source, target: source };
  const rows = entity.result.sourceRows;
  const bucketing = await chooseBucketing(pair, snapshots, { source: rows, target: 0 }, connections);
  const count = bucketing.scheme === "range" ? bucketing.boundaries.length + 1 : bucketing.buckets;
  const buckets = Array.from({ length: count }, (_, i) => i);
  const weights = new Map(buckets.map((bucket) => [bucket, rows / count]));
  const work = { both: [], sourceOnly: buckets, emptied: [], weights, differing: 0, segments: count };
  const groups = groupSegments(work, bucketing.scheme === "range" ? GROUP_ROWS : Infinity);
  baseline.begin();
  await forEachAtOnce(groups.entries(), LANES, async ([i, group]) => {
    const reading: GroupReading = {
      pair,
      method: plan.method,
      bucketing,
      snapshots,
      segments: { source: weights, target: new Map() },
      path: `${input.workspace}/${entity.index}-whole-${i}`,
      onRows: () => progress.checkpoint(),
    };
    const lists = new Map<number, HashList>();
    const isSplit = group.sourceOnly.length === 1;
    for await (const portion of readGroup(reading, group)) {
      for (const [bucket, { source }] of portion) {
        let list = lists.get(bucket);
        if (list === undefined) lists.set(bucket, list = new HashList());
        for (const row of source) {
          const name = keyHash(row.key);
          const base = baseOf(row, name);
          if (base !== undefined) list.add(name, base);
        }
      }
      if (!isSplit) stageAll(baseline, lists);
    }
    stageAll(baseline, lists);
  });
  baseline.prepared();
  return bucketing;
}

function stageAll(baseline: Baseline, lists: Map<number, HashList>): void {
  for (const [bucket, list] of lists) baseline.stage(bucket, list);
  lists.clear();
}
