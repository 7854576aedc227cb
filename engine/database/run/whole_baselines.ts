import type { Snapshot } from "../dialect.ts";
import { RangeBuckets } from "../range_buckets.ts";
import type { Bucketing, Form, HashedRow } from "../types.ts";
import type { BaseRows } from "./baseline/baseline.ts";
import type { DatabaseRun, Entity } from "./database_run.ts";
import { countRows } from "./segments.ts";
import { splitSegments } from "./split_segments.ts";
import { stageWhole } from "./stage_whole.ts";

/** Old segments whose rows are held in memory at once. */
const MOST_CACHED = 64;

/** Cuts a baseline anew whose segments have become too uneven, all of it or these. What it knows of rows stays. */
export async function recutBaseline(
  run: DatabaseRun,
  entity: Entity,
  source: Snapshot,
  uneven: number[] | "all",
): Promise<void> {
  const { pair, plan } = entity;
  const { baseline } = plan ?? {};
  if (pair === undefined || plan === undefined || baseline?.bucketing === undefined) return;
  run.progress.say(`Remembering ${entity.name}`);
  if (uneven !== "all" && baseline.bucketing.scheme === "range") {
    return await splitSegments(run, { entity, pair, plan, baseline }, source, uneven);
  }
  // What is known of rows that the source has no more is found by no look at the source: then all stays as it is.
  const known = countRows(baseline.checksums());
  if (known !== entity.result.sourceRows) return;
  let found = 0;
  const oldBucket = bucketFinder(baseline.bucketing, pair.source.forms[pair.source.key[0]]);
  const cache = new Map<number, BaseRows>();
  const baseOf = (row: HashedRow, keyHash: bigint) => {
    const bucket = oldBucket(row);
    let rows = cache.get(bucket);
    if (rows === undefined) {
      if (cache.size >= MOST_CACHED) cache.clear();
      cache.set(bucket, rows = baseline.rows(bucket));
    }
    const base = rows.get(keyHash);
    if (base !== undefined) found++;
    return base;
  };
  const bucketing = await stageWhole(run, { entity, pair, plan, baseline }, source, baseOf);
  if (found === known) baseline.settle(bucketing, new Map());
  else baseline.discard();
}

/** In which segment of an older cut a row lies. Of segments by hashes there must not be fewer now than there were. */
function bucketFinder(old: Bucketing, form: Form): (row: HashedRow) => number {
  if (old.scheme !== "range") return ({ bucket }) => bucket & (old.buckets - 1);
  const ranges = new RangeBuckets(form, old.boundaries);
  return ({ key: [value] }) => ranges.find(value as string);
}
