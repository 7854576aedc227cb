/** Seeded randomness: the seed is printed, and `SYNCLINE_TEST_SEED` runs the same test again. */

export interface Random {
  readonly seed: number;
  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number;
  /** True once in `n` calls, on average. */
  oneIn(n: number): boolean;
  pick<T>(items: readonly T[]): T;
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

/** The seed of `SYNCLINE_TEST_SEED`, or a new one; printed either way, with the test's name. */
export function testSeed(test: string): number {
  const given = Deno.env.get("SYNCLINE_TEST_SEED");
  const seed = given === undefined ? crypto.getRandomValues(new Uint32Array(1))[0] : Number(given);
  if (!Number.isInteger(seed)) throw new Error(`Cannot use SYNCLINE_TEST_SEED as a seed: ${given} is no whole number`);
  // deno-lint-ignore no-console
  console.log(`${test}: SYNCLINE_TEST_SEED=${seed}`);
  return seed;
}

/** The mulberry32 generator: good enough to vary tests, and the same on every machine. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (limit: number): number => Math.floor((next() / 2 ** 32) * limit);
  return {
    seed,
    below,
    oneIn: (n) => below(n) === 0,
    pick: (items) => items[below(items.length)],
    bytes(length) {
      const words = new Uint32Array(Math.ceil(length / 4));
      for (let index = 0; index < words.length; index++) words[index] = next();
      return new Uint8Array(words.buffer, 0, length);
    },
  };
}
