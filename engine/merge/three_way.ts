import { diff, type Hunks } from "./diff.ts";
import { IntList } from "./int_list.ts";

/** A stretch where the merge is not the source: the target's version, or a conflict. Ends are exclusive. */
export interface Change {
  isConflict: boolean;
  baseFrom: number;
  baseTo: number;
  sourceFrom: number;
  sourceTo: number;
  targetFrom: number;
  targetTo: number;
}

const FIELDS = 7;

/** What leads from the source to the merge, in order. */
export class Changes {
  #conflictCount = 0;
  readonly #fields = new IntList();

  get conflictCount(): number {
    return this.#conflictCount;
  }

  add({ isConflict, baseFrom, baseTo, sourceFrom, sourceTo, targetFrom, targetTo }: Change): void {
    if (isConflict) this.#conflictCount++;
    this.#fields.push(isConflict ? 1 : 0, baseFrom, baseTo, sourceFrom, sourceTo, targetFrom, targetTo);
  }

  *[Symbol.iterator](): Generator<Change> {
    const fields = this.#fields.toArray();
    for (let at = 0; at < fields.length; at += FIELDS) {
      yield {
        isConflict: fields[at] === 1,
        baseFrom: fields[at + 1],
        baseTo: fields[at + 2],
        sourceFrom: fields[at + 3],
        sourceTo: fields[at + 4],
        targetFrom: fields[at + 5],
        targetTo: fields[at + 6],
      };
    }
  }
}

/** One side's differences from the base, and how far its indices are off after those that were passed. */
class Side {
  #at = 0;
  shift = 0;

  constructor(readonly hunks: Hunks) {}

  /** Where the next difference begins in the base. */
  get from(): number {
    return this.#at < this.hunks.length ? this.hunks[this.#at] : Infinity;
  }

  /** Passes the next difference and returns where it ends in the base. */
  pass(): number {
    const end = this.hunks[this.#at + 1];
    this.shift = this.hunks[this.#at + 3] - end;
    this.#at += 4;
    return end;
  }
}

/**
 * Merges three sequences. Changes of the two sides that overlap or touch are a conflict, unless they are the same: with nothing between
 * them nobody can tell whether they go together. Equal elements at a conflict's edges are left out of it.
 *
 * @param classes every number is below it
 */
export function threeWay(base: Int32Array, source: Int32Array, target: Int32Array, classes: number): Changes {
  const ours = new Side(diff(base, source, classes));
  const theirs = new Side(diff(base, target, classes));
  const changes = new Changes();
  for (;;) {
    const from = Math.min(ours.from, theirs.from);
    if (from === Infinity) return changes;
    const [ourShift, theirShift] = [ours.shift, theirs.shift];
    let [isOurs, isTheirs] = [false, false];
    for (let to = from;;) {
      if (ours.from <= to) {
        to = Math.max(to, ours.pass());
        isOurs = true;
      } else if (theirs.from <= to) {
        to = Math.max(to, theirs.pass());
        isTheirs = true;
      } else {
        if (!isTheirs) break;
        const change = {
          isConflict: isOurs,
          baseFrom: from,
          baseTo: to,
          sourceFrom: from + ourShift,
          sourceTo: to + ours.shift,
          targetFrom: from + theirShift,
          targetTo: to + theirs.shift,
        };
        if (isOurs) narrow(change, source, target);
        if (change.sourceFrom < change.sourceTo || change.targetFrom < change.targetTo) changes.add(change);
        break;
      }
    }
  }
}

function narrow(change: Change, source: Int32Array, target: Int32Array): void {
  const rest = () => change.sourceFrom < change.sourceTo && change.targetFrom < change.targetTo;
  while (rest() && source[change.sourceFrom] === target[change.targetFrom]) {
    change.sourceFrom++;
    change.targetFrom++;
  }
  while (rest() && source[change.sourceTo - 1] === target[change.targetTo - 1]) {
    change.sourceTo--;
    change.targetTo--;
  }
}
