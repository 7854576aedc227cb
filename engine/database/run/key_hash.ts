import type { Row } from "../types.ts";

const FIRST = 0x9e3779b1;
const SECOND = 0x85ebca6b;
const THIRD = 0xc2b2ae35;
const FOURTH = 0x27d4eb2f;

/** Little-endian, as every processor that this runs on is. */
const words = new Uint32Array(2);
const whole = new BigUint64Array(words.buffer);

/**
 * 64 bits that stand for a key in a baseline. Not MD5, which takes longer than reading the row: a key is looked up among the
 * few hundred of its segment only.
 */
export function keyHash(key: Row): bigint {
  let a = FIRST;
  let b = SECOND;
  const mix = (unit: number) => {
    a = Math.imul(a ^ unit, THIRD);
    a ^= a >>> 15;
    b = Math.imul(b ^ unit, FOURTH);
    b ^= b >>> 13;
  };
  for (const value of key) {
    mix(value === null ? -1 : value.length);
    if (value === null) continue;
    for (let i = 0; i < value.length; i++) mix(value.charCodeAt(i));
  }
  a = Math.imul(a ^ (b >>> 16), THIRD);
  b = Math.imul(b ^ (a >>> 16), FOURTH);
  words[0] = b ^ (b >>> 15);
  words[1] = a ^ (a >>> 13);
  return whole[0];
}
