import type { Baseline, BaseRows, Intent } from "./baseline/baseline.ts";
import type { RowState } from "./decide.ts";
import { type Checksums, sameChecksum } from "./segments.ts";

/** What the last run left of the rows of one segment. */
export interface SegmentBase {
  of(keyHash: bigint, source: RowState, target: RowState): RowState;
}

const NOTHING: SegmentBase = { of: () => undefined };
const AS_SOURCE: SegmentBase = { of: (_, source) => source };
const AS_TARGET: SegmentBase = { of: (_, __, target) => target };

/**
 * The base of a segment's rows. Where one side's segment is as the last run left it, its rows are the base, and nothing has to be
 * looked up.
 */
export function segmentBase(
  bucket: number,
  baseline: Baseline | undefined,
  checksums: { source: Checksums; target: Checksums; base: Checksums },
): SegmentBase {
  if (baseline === undefined) return NOTHING;
  const base = checksums.base.get(bucket);
  if (sameChecksum(base, checksums.target.get(bucket))) return AS_TARGET;
  if (sameChecksum(base, checksums.source.get(bucket))) return AS_SOURCE;
  const rows = baseline.rows(bucket);
  return { of: (keyHash) => rows.get(keyHash) };
}

/** The base of a segment that a run which was killed was about to write: rows that are as it wanted them are its work. */
export class PendingBase implements SegmentBase {
  readonly #before: BaseRows;
  readonly #intents = new Map<bigint, Intent[]>();
  /** What turns out to be the base. */
  readonly rows: BaseRows = new Map();

  constructor(bucket: number, baseline: Baseline) {
    this.#before = baseline.rows(bucket);
    for (const intent of baseline.intents(bucket)) {
      const others = this.#intents.get(intent.keyHash);
      if (others === undefined) this.#intents.set(intent.keyHash, [intent]);
      else others.push(intent);
    }
  }

  of(keyHash: bigint, source: RowState, target: RowState): RowState {
    const done = this.#intents.get(keyHash)?.find(({ side, to }) => (side === "source" ? source : target) === to);
    const base = done === undefined ? this.#before.get(keyHash) : done.to;
    if (base !== undefined) this.rows.set(keyHash, base);
    return base;
  }
}
