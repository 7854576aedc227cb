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
  readonly #intents: Map<bigint, Intent>;
  /** What turns out to be the base. */
  readonly rows: BaseRows = new Map();

  constructor(bucket: number, baseline: Baseline) {
    this.#before = baseline.rows(bucket);
    this.#intents = baseline.intents(bucket);
  }

  of(keyHash: bigint, source: RowState, target: RowState): RowState {
    const intent = this.#intents.get(keyHash);
    const isDone = intent !== undefined && (intent.side === "source" ? source : target) === intent.to;
    const base = isDone ? intent.to : this.#before.get(keyHash);
    if (base !== undefined) this.rows.set(keyHash, base);
    return base;
  }
}
