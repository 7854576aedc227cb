/** Who writes catalogs, and when: FORMAT section 8.1. */
import type { RepositoryAccess } from "../repository/access.ts";
import {
  type CatalogEntry,
  catalogObject,
  headOf,
  readCatalog,
  readCatalogs,
  type VersionHead,
  writeCatalog,
} from "./catalog.ts";
import { isLoss, lossOf } from "../maintenance/loss.ts";
import type { Version } from "./version.ts";
import type { VersionHeads } from "./version_heads.ts";
import { damaged } from "../repository/damaged.ts";
import { type ObjectStore, StoreError } from "../../cloud/object_store.ts";

/** Versions that no catalog has: fewer cost a reader little. */
const MANY = 3;
/** A catalog takes in smaller ones, and others of at most so many times its own entries: few stay, and an entry is seldom rewritten. */
const FACTOR = 4;

/**
 * Before a backup: writes a catalog of the versions that none has, where they are many, and removes those that it takes in.
 * @param many So many are many.
 * @throws StoreError
 */
export async function extendCatalogs(
  access: RepositoryAccess,
  store: ObjectStore,
  { fresh, catalogs }: Pick<VersionHeads, "fresh" | "catalogs">,
  many = MANY,
): Promise<void> {
  if (fresh.length < many) return;
  const entries = [...fresh];
  const taken: string[] = [];
  for (const catalog of catalogs.toSorted((a, b) => a.entries.size - b.entries.size)) {
    if (catalog.entries.size > FACTOR * entries.length) break;
    for (const entry of catalog.entries.values()) entries.push(entry);
    taken.push(catalog.name);
  }
  const written = await writeCatalog(access, store, entries);
  // Where nothing is encrypted, a catalog with the same content has the same name.
  const old = taken.filter((name) => name !== written);
  // One that stays is only read in vain: a store that lets nobody delete is no obstacle to a backup.
  await Promise.allSettled(old.map((name) => store.delete(catalogObject(name))));
}

/**
 * In a prune, after versions were deleted: writes one catalog in place of all where they say more than there is, or leave much
 * out. Returns the keys of what is to be deleted after that.
 * @param entries Of all versions.
 * @throws StoreError
 */
export async function renewCatalogs(
  access: RepositoryAccess,
  store: ObjectStore,
  entries: readonly CatalogEntry[],
): Promise<string[]> {
  const { catalogs, damaged } = await readCatalogs(access, store);
  const sizes = new Map(entries.map(({ head, size }) => [head.versionId, size]));
  let isRight = damaged.length === 0 && catalogs.length <= 1;
  for (const { entries } of catalogs) {
    for (const [versionId, { size }] of entries) {
      isRight &&= sizes.get(versionId) === size;
      sizes.delete(versionId);
    }
  }
  if (isRight && sizes.size < MANY) return [];
  const old = [...catalogs.map(({ name }) => catalogObject(name)), ...damaged.map(({ key }) => key)];
  if (entries.length < MANY) return old;
  const written = catalogObject(await writeCatalog(access, store, entries));
  return old.filter((key) => key !== written);
}

/** Catalogs that are not as they were written, or say other things of a version than the version itself. @throws StoreError */
export async function catalogFaults(
  access: RepositoryAccess,
  store: ObjectStore,
  names: readonly string[],
  versions: readonly Version[],
): Promise<{ key: string; reason: string }[]> {
  const heads = new Map(versions.map((version) => [version.versionId, headOf(version)]));
  const faults: { key: string; reason: string }[] = [];
  for (const name of names) {
    const key = catalogObject(name);
    try {
      for (const [versionId, { head }] of (await readCatalog(access, store, name)).entries) {
        const version = heads.get(versionId);
        if (version !== undefined && !isSame(version, head)) {
          throw damaged(key, `it is wrong about version ${versionId}`);
        }
      }
    } catch (error) {
      if (isLoss(error)) faults.push({ key, reason: lossOf(error) });
      // One that another process replaced meanwhile is no more.
      else if (!(error instanceof StoreError && error.kind === "not-found")) throw error;
    }
  }
  return faults;
}

function isSame(a: VersionHead, b: VersionHead): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
