import type { Segment } from "../maintenance/reindex.ts";
import type { ObjectStore } from "../../cloud/object_store.ts";

/** What lies in a repository's store, by what its keys say. */
export interface StoredObjects {
  /** Bytes by name. */
  packs: Map<string, number>;
  segments: Segment[];
  /** Bytes by id. */
  versions: Map<string, number>;
  /** Names of catalogs. */
  catalogs: string[];
  /** Keys of leases. */
  leases: string[];
  /** Keys of wrapped master keys. */
  keys: string[];
  /** Keys of what FORMAT does not know. */
  foreign: string[];
}

const PACK = /^packs\/([0-9a-f]{2})\/(\1[0-9a-f]{62})$/;
const SEGMENT = /^index\/([0-9a-f]{64})$/;
const VERSION = /^versions\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
const CATALOG = /^catalogs\/([0-9a-f]{64})$/;
const LEASE = /^leases\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const KEY = /^keys\/[0-9a-f]{16}$/;

/** Lists the store. In memory an object costs its name. @throws StoreError */
export async function listStored(store: ObjectStore, signal: AbortSignal): Promise<StoredObjects> {
  const found: StoredObjects = {
    packs: new Map(),
    segments: [],
    versions: new Map(),
    catalogs: [],
    leases: [],
    keys: [],
    foreign: [],
  };
  for await (const { key, size } of store.list("", { signal })) {
    let match: RegExpMatchArray | null;
    if ((match = key.match(PACK)) !== null) found.packs.set(match[2], size);
    else if ((match = key.match(SEGMENT)) !== null) found.segments.push({ name: match[1], size });
    else if ((match = key.match(VERSION)) !== null) found.versions.set(match[1], size);
    else if ((match = key.match(CATALOG)) !== null) found.catalogs.push(match[1]);
    else if (LEASE.test(key)) found.leases.push(key);
    else if (KEY.test(key)) found.keys.push(key);
    else if (key !== "config") found.foreign.push(key);
  }
  return found;
}
