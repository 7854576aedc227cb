import type { Bucketing, HashMethod, Row } from "../types.ts";
import type { Baseline, KeptRows } from "./baseline/baseline.ts";
import type { Uneven } from "./bucketing.ts";
import type { Sides } from "./database_run.ts";
import type { Change } from "./decide.ts";
import { LineFile } from "./line_file.ts";

/**
 * One row to be written: its segment, its key, the hash that the comparison saw on the side to be written and the one that it
 * shall have, in hexadecimal; null where there is no such row. Of the source's rows, which are written when the target's snapshot
 * has gone, also the new row itself. `ours`: what it is now is this run's work already.
 */
export type ChangeLine = [
  bucket: number,
  key: Row,
  from: string | null,
  to: string | null,
  row?: Row | null,
  ours?: boolean,
];

/** In place of a segment's number, of rows of a copy: nobody has looked. */
export const COPIED = -1;

/** Equal rows of a table without a key, and how many of them. */
export type LooseLine = [row: Row, count: number];

export type ChangeFiles = Record<Change, LineFile<ChangeLine>>;

/** What is to be done for one entity; the rows lie in files. */
export class EntityPlan implements Disposable {
  method: HashMethod = "client";
  bucketing: Bucketing = { scheme: "hash", buckets: 1 };
  /** The target's table is empty: everything is copied there. */
  isCopy = false;
  /** Undefined where none is kept. */
  baseline: Baseline | undefined;
  /** Segments were set aside in it. */
  isStaged = false;
  /** Every segment was set aside: what there was of a baseline is replaced. */
  isWholeBaseline = false;
  /** Which of its segments have become too large. */
  uneven: Uneven;
  /** Rows that were not written after all, by segment, for the baseline. */
  kept: KeptRows = new Map();
  /** What was written is not what was set aside, and nobody knows where it differs. */
  isBaselineLost = false;
  /** Path for a file of the baseline. */
  readonly scratch: string;
  readonly changes: Sides<ChangeFiles>;
  readonly loose: { insert: LineFile<LooseLine>; delete: LineFile<LooseLine> };

  constructor(workspace: string, index: number) {
    this.scratch = `${workspace}/${index}-baseline`;
    const files = (side: string): ChangeFiles => ({
      insert: new LineFile(`${workspace}/${index}-${side}-insert`),
      update: new LineFile(`${workspace}/${index}-${side}-update`),
      delete: new LineFile(`${workspace}/${index}-${side}-delete`),
    });
    this.changes = { source: files("source"), target: files("target") };
    this.loose = {
      insert: new LineFile(`${workspace}/${index}-loose-insert`),
      delete: new LineFile(`${workspace}/${index}-loose-delete`),
    };
  }

  [Symbol.dispose](): void {
    this.baseline?.[Symbol.dispose]();
    const { source, target } = this.changes;
    for (const file of [...Object.values(source), ...Object.values(target), ...Object.values(this.loose)]) {
      file[Symbol.dispose]();
    }
  }
}
