import type { RepositoryAccess } from "../repository/access.ts";
import { type Catalog, type CatalogEntry, headOf, readCatalogs, type VersionHead } from "./catalog.ts";
import { byTime, listVersionObjects, readVersion, readVersions, type Version, versionObject } from "./version.ts";
import type { VersionList } from "./version.ts";
import type { ObjectStore } from "../../cloud/object_store.ts";
import { EngineError } from "../../errors.ts";

export interface VersionHeads {
  /** Of all versions, oldest first. */
  heads: VersionHead[];
  /** What was read from versions, since no catalog has it. */
  fresh: CatalogEntry[];
  /** Each with those of its entries that count and that none before it has. */
  catalogs: Catalog[];
  damaged: VersionList["damaged"];
}

/**
 * What a list of all versions shows, from catalogs as far as they have it. Which versions there are is for the store to say, so that
 * none is hidden or shown when it is gone.
 * @throws StoreError
 */
export async function listHeads(access: RepositoryAccess, store: ObjectStore): Promise<VersionHeads> {
  const sizes = await listVersionObjects(store);
  const left = new Set(sizes.keys());
  const heads: VersionHead[] = [];
  const catalogs: Catalog[] = [];
  for (const { name, entries } of left.size === 0 ? [] : (await readCatalogs(access, store)).catalogs) {
    const current: Catalog = { name, entries: new Map() };
    for (const [versionId, entry] of entries) {
      const key = versionObject(versionId);
      if (sizes.get(key) !== entry.size || !left.delete(key)) continue;
      current.entries.set(versionId, entry);
      heads.push(entry.head);
    }
    catalogs.push(current);
  }
  const { versions, damaged } = await readVersions(access, store, left);
  const fresh = versions.map((version): CatalogEntry => ({
    size: sizes.get(versionObject(version.versionId)) ?? 0,
    head: headOf(version),
  }));
  heads.push(...fresh.map(({ head }) => head));
  return { heads: heads.sort(byTime), fresh, catalogs, damaged };
}

/** The newest of some versions that can be read. @throws StoreError */
export async function newestOf(
  access: RepositoryAccess,
  store: ObjectStore,
  heads: readonly VersionHead[],
): Promise<Version | undefined> {
  for (const { versionId } of heads.toReversed()) {
    try {
      return await readVersion(access, store, versionId);
    } catch (error) {
      // Damaged, or deleted meanwhile.
      if (!(error instanceof EngineError)) throw error;
    }
  }
  return undefined;
}
