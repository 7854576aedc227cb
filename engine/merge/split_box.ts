/** Steps of a search after which the best split found so far is taken; more for long sequences, fewer once much was done. */
const LEAST_BOUND = 256;
const SPENT_BOUND = 16;
/** How many points all searches together look at before the bound falls: about a second's work. */
const BUDGET = 200_000_000;

type Split = (xStart: number, xEnd: number, yStart: number, yEnd: number) => [x: number, y: number];

/**
 * Returns a function that finds a point through which a shortest edit path of a part of two sequences goes (the middle snake of Myers,
 * 1986), searching from both corners. Neither part may be empty, nor may they begin or end with equal elements.
 *
 * After a bound of steps it takes the furthest point that either search has reached: each call looks at no more points than the square
 * of the bound, twice, and gets on by at least that many elements.
 */
export function splitBox(x: Int32Array, y: Int32Array): Split {
  const diagonals = x.length + y.length + 3;
  const offset = y.length + 1;
  const forward = new Int32Array(diagonals);
  const backward = new Int32Array(diagonals);
  let budget = BUDGET;
  let bound = Math.max(LEAST_BOUND, Math.ceil(Math.sqrt(diagonals)));

  return (xStart, xEnd, yStart, yEnd) => {
    const least = xStart - yEnd;
    const most = xEnd - yStart;
    const forwardMiddle = xStart - yStart;
    const backwardMiddle = xEnd - yEnd;
    const isOdd = ((forwardMiddle - backwardMiddle) & 1) !== 0;
    let [forwardLeast, forwardMost] = [forwardMiddle, forwardMiddle];
    let [backwardLeast, backwardMost] = [backwardMiddle, backwardMiddle];
    forward[offset + forwardMiddle] = xStart;
    backward[offset + backwardMiddle] = xEnd;

    for (let cost = 1;; cost++) {
      if (forwardLeast > least) forward[offset + --forwardLeast - 1] = -1;
      else forwardLeast++;
      if (forwardMost < most) forward[offset + ++forwardMost + 1] = -1;
      else forwardMost--;
      for (let d = forwardMost; d >= forwardLeast; d -= 2) {
        const below = forward[offset + d - 1];
        const above = forward[offset + d + 1];
        let i = below >= above ? below + 1 : above;
        while (i < xEnd && i - d < yEnd && x[i] === y[i - d]) i++;
        forward[offset + d] = i;
        if (isOdd && d >= backwardLeast && d <= backwardMost && backward[offset + d] <= i) return [i, i - d];
      }

      if (backwardLeast > least) backward[offset + --backwardLeast - 1] = 0x7fffffff;
      else backwardLeast++;
      if (backwardMost < most) backward[offset + ++backwardMost + 1] = 0x7fffffff;
      else backwardMost--;
      for (let d = backwardMost; d >= backwardLeast; d -= 2) {
        const below = backward[offset + d - 1];
        const above = backward[offset + d + 1];
        let i = below < above ? below : above - 1;
        while (i > xStart && i - d > yStart && x[i - 1] === y[i - d - 1]) i--;
        backward[offset + d] = i;
        if (!isOdd && d >= forwardLeast && d <= forwardMost && i <= forward[offset + d]) return [i, i - d];
      }

      if (cost >= bound) {
        budget -= cost * cost;
        if (budget < 0) bound = SPENT_BOUND;
        return furthest();
      }
    }

    /** Any point but two opposite corners divides the box, and there is always one: the searches have left their corners. */
    function furthest(): [number, number] {
      let best: [number, number] = [(xStart + xEnd) >> 1, (yStart + yEnd) >> 1];
      let most = 0;
      const consider = (i: number, j: number, gain: number) => {
        if (i < xStart || i > xEnd || j < yStart || j > yEnd) return;
        const isCorner = i === xStart && j === yStart || i === xEnd && j === yEnd;
        if (isCorner || gain <= most) return;
        most = gain;
        best = [i, j];
      };
      for (let d = forwardMost; d >= forwardLeast; d -= 2) {
        const i = forward[offset + d];
        consider(i, i - d, i + i - d - xStart - yStart);
      }
      for (let d = backwardMost; d >= backwardLeast; d -= 2) {
        const i = backward[offset + d];
        consider(i, i - d, xEnd + yEnd - i - i + d);
      }
      return best;
    }
  };
}
