import type { Listing } from "../posix/mod.ts";

/** For each of the source's entries the target's index or −1; made once and used for every directory. */
let partners = new Int32Array(256);

/**
 * The target's index for each of the source's entries, or −1, good until the next call. A name that only the source has and one that only the target has
 * are a pair too where they differ in case alone and the target's file system takes them for one.
 */
export function pair(
  source: Listing | undefined,
  target: Listing | undefined,
  folds: (name: string, index: number) => boolean,
  renamed: (i: number, j: number) => void,
): Int32Array {
  const count = source?.length ?? 0;
  if (count > partners.length) partners = new Int32Array(count * 2);
  const partner = partners.fill(-1, 0, count);
  if (source === undefined || target === undefined) return partner;
  // Two copies of a directory on one file system mostly list their names in the same order.
  let alike = 0;
  while (alike < source.length && source.names[alike] === target.names[alike]) partner[alike] = alike++;
  const extras = new Map<string, number>();
  for (let j = alike; j < target.length; j++) extras.set(target.names[j], j);
  const missing: number[] = [];
  for (let i = alike; i < source.length; i++) {
    const j = extras.get(source.names[i]);
    if (j === undefined) missing.push(i);
    else {
      partner[i] = j;
      extras.delete(source.names[i]);
    }
  }
  if (missing.length === 0 || extras.size === 0) return partner;
  const folded = new Map([...extras].map(([name, j]) => [name.toLowerCase(), j]));
  for (const i of missing) {
    const j = folded.get(source.names[i].toLowerCase());
    if (j === undefined || !folds(source.names[i], j)) continue;
    partner[i] = j;
    folded.delete(source.names[i].toLowerCase());
    renamed(i, j);
  }
  return partner;
}
