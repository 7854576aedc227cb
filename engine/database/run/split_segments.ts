import { compareValues } from "../compare_values.ts";
import type { Snapshot } from "../dialect.ts";
import type { Form } from "../types.ts";
import type { SegmentCut } from "./baseline/baseline.ts";
import { HashList } from "./baseline/hash_list.ts";
import { rowsASegment } from "./bucketing.ts";
import type { DatabaseRun } from "./database_run.ts";
import { onSide } from "./failure.ts";
import { keyHash } from "./key_hash.ts";
import type { StagedEntity } from "./stage_whole.ts";

/** Splits segments of ranges that have become too large, by the keys that the source has there; the others stay as they are. */
export async function splitSegments(
  { progress }: DatabaseRun,
  { entity, pair: { source: side }, plan, baseline }: StagedEntity,
  source: Snapshot,
  segments: number[],
): Promise<void> {
  const { bucketing } = baseline;
  if (bucketing?.scheme !== "range") throw new Error(`Cannot split ${entity.name}, which is not cut into ranges`);
  const size = rowsASegment(entity.result.sourceRows);
  const found = new Map(segments.map((segment) => [segment, { keys: [] as string[], names: [] as bigint[] }]));
  await onSide("source", async () => {
    for await (const batch of source.hashes(side, plan.method, bucketing, segments)) {
      progress.checkpoint();
      for (const { bucket, key } of batch) {
        const rows = found.get(bucket);
        rows?.keys.push(key[0] as string);
        rows?.names.push(keyHash(key));
      }
    }
  });
  const boundaries: string[] = [];
  const cuts: SegmentCut[] = [];
  let copied = 0;
  for (const [segment, { keys, names }] of found) {
    const order = inOrder(side.forms[side.key[0]], keys);
    const base = baseline.rows(segment);
    const parts: HashList[] = [];
    const inside: string[] = [];
    let known = 0;
    for (let at = 0; at < order.length || at === 0; at += size) {
      if (at > 0) inside.push(keys[order[at]]);
      const part = new HashList(size);
      for (const row of order.subarray(at, at + size)) {
        const hash = base.get(names[row]);
        if (hash === undefined) continue;
        part.add(names[row], hash);
        known++;
      }
      parts.push(part);
    }
    // Of rows that the source has no more nobody can tell the part.
    if (known === base.size) {
      boundaries.push(...bucketing.boundaries.slice(copied, segment), ...inside);
      copied = segment;
      cuts.push({ segment, parts });
    }
    progress.checkpoint();
  }
  boundaries.push(...bucketing.boundaries.slice(copied));
  baseline.cut(cuts, boundaries);
}

/** The positions of values in ascending order. */
function inOrder(form: Form, values: string[]): Uint32Array {
  const positions = Uint32Array.from(values.keys());
  if (form !== "integer") return positions.sort((a, b) => compareValues(form, values[a], values[b]));
  const numbers = values.map(BigInt);
  return positions.sort((a, b) => numbers[a] < numbers[b] ? -1 : 1);
}
