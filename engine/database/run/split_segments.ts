import { compareValues } from "../compare_values.ts";
import type { Snapshot } from "../dialect.ts";
import type { HashedRow } from "../types.ts";
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
  const form = side.forms[side.key[0]];
  const size = rowsASegment(entity.result.sourceRows);
  const rows = new Map<number, HashedRow[]>(segments.map((segment) => [segment, []]));
  await onSide("source", async () => {
    for await (const batch of source.hashes(side, plan.method, bucketing, segments)) {
      progress.checkpoint();
      for (const row of batch) rows.get(row.bucket)?.push(row);
    }
  });
  const boundaries: string[] = [];
  const cuts: SegmentCut[] = [];
  let copied = 0;
  for (const segment of segments) {
    const found = rows.get(segment) as HashedRow[];
    const isNumber = form === "integer" && found.every(({ key: [value] }) => Number.isSafeInteger(Number(value)));
    found.sort(({ key: [a] }, { key: [b] }) =>
      isNumber ? Number(a) - Number(b) : compareValues(form, a as string, b as string)
    );
    const base = baseline.rows(segment);
    const parts: HashList[] = [];
    boundaries.push(...bucketing.boundaries.slice(copied, segment));
    copied = segment;
    for (let at = 0; at < found.length; at += size) {
      if (at > 0) boundaries.push(found[at].key[0] as string);
      const part = new HashList(size);
      for (const { key } of found.slice(at, at + size)) {
        const name = keyHash(key);
        const hash = base.get(name);
        if (hash !== undefined) part.add(name, hash);
      }
      parts.push(part);
    }
    cuts.push({ segment, parts: parts.length === 0 ? [new HashList()] : parts });
    progress.checkpoint();
  }
  boundaries.push(...bucketing.boundaries.slice(copied));
  baseline.cut(cuts, boundaries);
}
