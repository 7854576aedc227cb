import type { Snapshot } from "../dialect.ts";
import type { Bucketing, Form, HashedRow } from "../types.ts";
import { Baseline, type BaseRows } from "./baseline/baseline.ts";
import { baselinePath, baselineShape } from "./baseline/shape.ts";
import { compareValues } from "./compare_values.ts";
import type { DatabaseRun, Entity } from "./database_run.ts";
import { chooseMethod } from "./method.ts";
import { stageWhole } from "./stage_whole.ts";

/** Sets the baseline of a table aside that was copied as a whole: what is there is what the source has. */
export async function stageCopy(run: DatabaseRun, entity: Entity, source: Snapshot): Promise<void> {
  const { pair, plan } = entity;
  if (pair === undefined || plan === undefined || pair.source.key.length === 0 || plan.isBaselineLost) return;
  const { connections, input, request, progress } = run;
  progress.say(`Remembering ${entity.name}`);
  plan.method = chooseMethod(pair, connections.source, connections.target);
  plan.baseline ??= Baseline.open(
    baselinePath(input.baselines, request, pair),
    baselineShape(pair, plan.method),
    false,
  );
  const { baseline } = plan;
  if (baseline === undefined) return;
  plan.isStaged = plan.isWholeBaseline = true;
  plan.bucketing = await stageWhole(run, { entity, pair, plan, baseline }, source, ({ hash }) => hash);
}

/** Old segments whose rows are held in memory at once. */
const MOST_CACHED = 64;

/** Cuts a baseline anew whose segments have become too uneven. What it knows of rows stays. */
export async function recutBaseline(run: DatabaseRun, entity: Entity, source: Snapshot): Promise<void> {
  const { pair, plan } = entity;
  const { baseline } = plan ?? {};
  if (pair === undefined || plan === undefined || baseline?.bucketing === undefined) return;
  run.progress.say(`Remembering ${entity.name}`);
  const oldBucket = bucketFinder(baseline.bucketing, pair.source.forms[pair.source.key[0]]);
  const cache = new Map<number, BaseRows>();
  const baseOf = (row: HashedRow, keyHash: bigint) => {
    const bucket = oldBucket(row);
    let rows = cache.get(bucket);
    if (rows === undefined) {
      if (cache.size >= MOST_CACHED) cache.clear();
      cache.set(bucket, rows = baseline.rows(bucket));
    }
    return rows.get(keyHash);
  };
  const bucketing = await stageWhole(run, { entity, pair, plan, baseline }, source, baseOf);
  baseline.settle(bucketing, new Map());
}

/** In which segment of an older cut a row lies. Of segments by hashes there must not be fewer now than there were. */
function bucketFinder(old: Bucketing, form: Form): (row: HashedRow) => number {
  if (old.scheme !== "range") return ({ bucket }) => bucket & (old.buckets - 1);
  const { boundaries } = old;
  return ({ key: [value] }) => {
    let [low, high] = [0, boundaries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareValues(form, boundaries[middle], value as string) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}
