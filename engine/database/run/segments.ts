import type { Checksum } from "../types.ts";

/** Segments whose rows have to be looked at one by one. */
export interface SegmentWork {
  /** Differ between the sides, or were about to be written by a run that was killed. */
  both: number[];
  /** Equal on both sides, but the baseline does not know their rows. */
  sourceOnly: number[];
  /** Gone on both sides, but not in the baseline. */
  emptied: number[];
  /** Rows to be read on both sides together, by segment. */
  weights: Map<number, number>;
  differing: number;
  segments: number;
}

export type Checksums = Map<number, Checksum>;

export function byBucket(checksums: Checksum[]): Checksums {
  return new Map(checksums.map((checksum) => [checksum.bucket, checksum]));
}

export function sameChecksum(a: Checksum | undefined, b: Checksum | undefined): boolean {
  return (a?.rows ?? 0) === (b?.rows ?? 0) && (a?.sum ?? 0n) === (b?.sum ?? 0n);
}

export function countRows(checksums: Checksums): number {
  let rows = 0;
  for (const checksum of checksums.values()) rows += checksum.rows;
  return rows;
}

/**
 * @param base the baseline's, where one is kept and there is one
 * @param isKept whether the baseline is to know every segment's rows
 */
export function planSegments(
  source: Checksums,
  target: Checksums,
  base: Checksums | undefined,
  { isKept, pending }: { isKept: boolean; pending: Set<number> },
): SegmentWork {
  const work: SegmentWork = {
    both: [],
    sourceOnly: [],
    emptied: [],
    weights: new Map(),
    differing: 0,
    segments: 0,
  };
  const buckets = new Set([...source.keys(), ...target.keys(), ...(isKept ? base?.keys() ?? [] : []), ...pending]);
  for (const bucket of [...buckets].sort((a, b) => a - b)) {
    const [s, t] = [source.get(bucket), target.get(bucket)];
    const differs = !sameChecksum(s, t);
    if (s !== undefined || t !== undefined) work.segments++;
    if (differs) work.differing++;
    if (differs || pending.has(bucket)) {
      work.both.push(bucket);
      work.weights.set(bucket, (s?.rows ?? 0) + (t?.rows ?? 0));
    } else if (isKept && (base === undefined || !sameChecksum(s, base.get(bucket)))) {
      if (s === undefined) work.emptied.push(bucket);
      else {
        work.sourceOnly.push(bucket);
        work.weights.set(bucket, s.rows);
      }
    }
  }
  return work;
}

/** Some segments that are read together. */
export interface SegmentGroup {
  both: number[];
  sourceOnly: number[];
  weight: number;
}

/** Joins neighbouring segments until they hold so many rows. */
export function groupSegments({ both, sourceOnly, weights }: SegmentWork, mostRows: number): SegmentGroup[] {
  const only = new Set(sourceOnly);
  const groups: SegmentGroup[] = [];
  let group: SegmentGroup | undefined;
  for (const bucket of [...both, ...sourceOnly].sort((a, b) => a - b)) {
    const weight = weights.get(bucket) as number;
    if (group === undefined || group.weight > 0 && group.weight + weight > mostRows) {
      group = { both: [], sourceOnly: [], weight: 0 };
      groups.push(group);
    }
    (only.has(bucket) ? group.sourceOnly : group.both).push(bucket);
    group.weight += weight;
  }
  return groups;
}
