/** About a second's work. */
const MOST_MOVES = 100_000_000;

/**
 * Moves each run of changed elements to the last place where it means the same: a run may move on by one where the element after it
 * equals its first. Runs that meet become one. A run that can stand beside a change of the other sequence does so, which makes one hunk
 * of two.
 *
 * The number of moves is bounded; where it is used up, the rest stays where it is, which is as true.
 */
export function alignHunks(ids: Int32Array, isChanged: Uint8Array, isOtherChanged: Uint8Array): void {
  let moves = MOST_MOVES;
  let [start, end] = [0, 0];
  let [otherStart, otherEnd] = [0, 0];

  /** The next run, maybe empty, of either sequence; one unchanged element lies between two of them. */
  const next = () => {
    start = end + 1;
    end = start;
    while (isChanged[end] === 1) end++;
    nextOther();
  };
  const nextOther = () => {
    otherStart = otherEnd + 1;
    otherEnd = otherStart;
    while (isOtherChanged[otherEnd] === 1) otherEnd++;
  };
  const previousOther = () => {
    otherEnd = otherStart - 1;
    otherStart = otherEnd;
    while (otherStart > 0 && isOtherChanged[otherStart - 1] === 1) otherStart--;
  };
  const back = () => {
    isChanged[--start] = 1;
    isChanged[--end] = 0;
    while (start > 0 && isChanged[start - 1] === 1) start--;
    previousOther();
    moves--;
  };
  const forth = () => {
    isChanged[start++] = 0;
    isChanged[end++] = 1;
    while (isChanged[end] === 1) end++;
    nextOther();
    moves--;
  };

  while (isChanged[end] === 1) end++;
  while (isOtherChanged[otherEnd] === 1) otherEnd++;
  for (;;) {
    if (end > start) {
      let size: number;
      let first: number;
      /** The last end at which the other sequence has a change, too. */
      let beside: number;
      do {
        size = end - start;
        while (moves > 0 && start > 0 && ids[start - 1] === ids[end - 1]) back();
        first = end;
        beside = otherEnd > otherStart ? end : -1;
        while (moves > 0 && end < ids.length && ids[start] === ids[end]) {
          forth();
          if (otherEnd > otherStart) beside = end;
        }
      } while (size !== end - start);
      if (beside >= 0 && end !== first) {
        while (end > beside) back();
      }
    }
    if (end >= ids.length) return;
    next();
  }
}
