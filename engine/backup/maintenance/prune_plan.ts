import type { PackKind } from "../packs/pack_table.ts";

/** A pack and how much of it is needed, in bytes. */
export interface UsedPack {
  number: number;
  kind: PackKind;
  /** Of the object. */
  size: number;
  /** Of its frames. */
  stored: number;
  /** Of its frames' parts that are needed; 0 exactly where nothing is. */
  used: number;
}

export interface PrunePlan {
  /** Packs of which nothing is needed. */
  dead: UsedPack[];
  /** Packs whose needed chunks go into new ones. */
  repack: UsedPack[];
  /** Bytes in frames of the other packs that nothing needs. */
  unusedBytes: number;
}

/** A pack of which less is needed is written anew. */
const MOSTLY_DEAD = 0.5;
/** One of which more is needed is never written anew for the sake of what is not. */
const HARDLY_DEAD = 0.9;
/** So much of what is needed may stay as waste beside it. */
const MOST_WASTE = 0.05;
/** A quarter of a full pack. */
const SMALL = 8 << 20;
/** So many small packs of one kind are merged. */
const MANY = 8;

/** Decides what to delete and what to write anew. Every pack is in one list at most. */
export function planPrune(packs: readonly UsedPack[]): PrunePlan {
  const dead = packs.filter(({ used }) => used === 0);
  const alive = packs.filter(({ used }) => used > 0);
  const repack = new Set(alive.filter((pack) => pack.used < pack.stored * MOSTLY_DEAD));
  for (const kind of ["data", "tree"] as const) {
    const small = alive.filter((pack) => pack.kind === kind && pack.size < SMALL);
    if (small.length >= MANY) { for (const pack of small) repack.add(pack); }
  }
  const rest = alive.filter((pack) => !repack.has(pack)).sort((a, b) => a.used / a.stored - b.used / b.stored);
  const allowed = MOST_WASTE * alive.reduce((sum, { used }) => sum + used, 0);
  let unusedBytes = rest.reduce((sum, pack) => sum + wasteOf(pack), 0);
  for (const pack of rest) {
    if (unusedBytes <= allowed || pack.used > pack.stored * HARDLY_DEAD) break;
    repack.add(pack);
    unusedBytes -= wasteOf(pack);
  }
  return { dead, repack: [...repack], unusedBytes: Math.round(unusedBytes) };
}

/** Never below 0, though shares of frames do not add up exactly. */
export function wasteOf(pack: UsedPack): number {
  return Math.max(0, pack.stored - pack.used);
}
