import { alignHunks } from "./align_hunks.ts";
import { IntList } from "./int_list.ts";
import { splitBox } from "./split_box.ts";

/**
 * Stretches of `a` that are replaced by stretches of `b`, in order; either may be empty, and ends are exclusive. Four numbers each:
 * where it begins and ends in `a`, then in `b`. Between two of them is at least one element that is equal in both.
 */
export type Hunks = Int32Array;

/**
 * The differences of two sequences of numbers.
 *
 * Myers' algorithm (1986) in linear space. Where the sequences are too unlike to find the least difference in bounded time, a larger
 * one is found, which is as true. A difference that could stand at several places stands at the last, as git and diff have it.
 *
 * @param classes every number is below it
 */
export function diff(a: Int32Array, b: Int32Array, classes: number): Hunks {
  const isRemoved = new Uint8Array(a.length);
  const isAdded = new Uint8Array(b.length);
  let head = 0;
  const shorter = Math.min(a.length, b.length);
  while (head < shorter && a[head] === b[head]) head++;
  let [aEnd, bEnd] = [a.length, b.length];
  while (aEnd > head && bEnd > head && a[aEnd - 1] === b[bEnd - 1]) {
    aEnd--;
    bEnd--;
  }
  const fromA = matchable(a, b, head, aEnd, classes, isRemoved);
  const fromB = matchable(b, a, head, bEnd, classes, isAdded);
  compare(a, fromA, b, fromB, isRemoved, isAdded);
  alignHunks(a, isRemoved, isAdded);
  alignHunks(b, isAdded, isRemoved);
  return hunksOf(isRemoved, isAdded);
}

/** The indices of elements that the other sequence has anywhere; the others are marked as changed. */
function matchable(
  from: Int32Array,
  other: Int32Array,
  head: number,
  end: number,
  classes: number,
  isChanged: Uint8Array,
): Int32Array {
  const isThere = new Uint8Array(classes);
  for (const id of other) isThere[id] = 1;
  const indices = new Int32Array(end - head);
  let count = 0;
  for (let i = head; i < end; i++) {
    if (isThere[from[i]] === 1) indices[count++] = i;
    else isChanged[i] = 1;
  }
  return indices.subarray(0, count);
}

function compare(
  a: Int32Array,
  fromA: Int32Array,
  b: Int32Array,
  fromB: Int32Array,
  isRemoved: Uint8Array,
  isAdded: Uint8Array,
): void {
  const x = fromA.map((index) => a[index]);
  const y = fromB.map((index) => b[index]);
  const split = splitBox(x, y);
  const boxes = [0, x.length, 0, y.length];
  while (boxes.length > 0) {
    let yEnd = boxes.pop() as number;
    let yStart = boxes.pop() as number;
    let xEnd = boxes.pop() as number;
    let xStart = boxes.pop() as number;
    while (xStart < xEnd && yStart < yEnd && x[xStart] === y[yStart]) {
      xStart++;
      yStart++;
    }
    while (xStart < xEnd && yStart < yEnd && x[xEnd - 1] === y[yEnd - 1]) {
      xEnd--;
      yEnd--;
    }
    if (xStart === xEnd || yStart === yEnd) {
      for (let i = xStart; i < xEnd; i++) isRemoved[fromA[i]] = 1;
      for (let i = yStart; i < yEnd; i++) isAdded[fromB[i]] = 1;
      continue;
    }
    const [xMiddle, yMiddle] = split(xStart, xEnd, yStart, yEnd);
    boxes.push(xStart, xMiddle, yStart, yMiddle, xMiddle, xEnd, yMiddle, yEnd);
  }
}

function hunksOf(isRemoved: Uint8Array, isAdded: Uint8Array): Hunks {
  const hunks = new IntList();
  let [i, j] = [0, 0];
  while (i < isRemoved.length || j < isAdded.length) {
    const [aFrom, bFrom] = [i, j];
    while (isRemoved[i] === 1) i++;
    while (isAdded[j] === 1) j++;
    if (i > aFrom || j > bFrom) {
      hunks.push(aFrom, i, bFrom, j);
    } else {
      i++;
      j++;
    }
  }
  return hunks.toArray();
}
