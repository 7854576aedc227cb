import type { RepositoryAccess } from "../repository/access.ts";
import { damaged } from "../repository/damaged.ts";
import { seal, unseal } from "../crypto/sealed.ts";
import type { Content, DirectoryEntry } from "../trees/tree_entry.ts";
import { isEntry } from "../trees/tree_page.ts";
import { EngineError } from "../../errors.ts";
import { forEachAtOnce } from "../../at_once.ts";
import { type ObjectStore, StoreError } from "../../cloud/object_store.ts";

/** A version of a source as it is stored (FORMAT section 8). */
export interface Version {
  format: 1;
  /** A UUID. */
  versionId: string;
  /** ISO 8601 UTC, with milliseconds. */
  createdAt: string;
  host: string;
  /** Absolute path. */
  source: string;
  root: DirectoryEntry;
  description: string;
  isFullBackup: boolean;
  parentVersionId: string | null;
  totalSize: number;
  fileCount: number;
  directoryCount: number;
  linkCount: number;
  newBytes: number;
  storedBytes: number;
  changedFileCount: number;
  deletedFileCount: number;
  changes: Content | null;
  errors: string[];
  errorCount: number;
  skippedCount: number;
  durationMs: number;
  software: string;
}

const MAGIC = "SLVERSN1";
const PREFIX = "versions/";
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function versionObject(versionId: string): string {
  return PREFIX + versionId;
}

/** Whether a text can be a version's id; anything else must not become a key. */
export function isVersionId(text: string): boolean {
  return UUID.test(text);
}

/** Stores a version, by which it exists. Everything that it needs must be in the stored index. @throws StoreError */
export async function writeVersion(access: RepositoryAccess, store: ObjectStore, version: Version): Promise<void> {
  const key = versionObject(version.versionId);
  const payload = new TextEncoder().encode(JSON.stringify(version));
  await store.put(key, seal(access, MAGIC, key, payload), { ifAbsent: true });
}

/** @throws EngineError `not-found`, `damaged`; StoreError */
export async function readVersion(access: RepositoryAccess, store: ObjectStore, versionId: string): Promise<Version> {
  const details = `The repository has no version ${versionId}`;
  if (!isVersionId(versionId)) throw new EngineError("not-found", "Version not found", details);
  const key = versionObject(versionId);
  let object: Uint8Array;
  try {
    object = await store.read(key);
  } catch (error) {
    if (!(error instanceof StoreError && error.kind === "not-found")) throw error;
    throw new EngineError("not-found", "Version not found", details, { cause: error });
  }
  return parse(unseal(access, MAGIC, key, object), key);
}

function parse(payload: Uint8Array, key: string): Version {
  let version: Version;
  try {
    version = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch (cause) {
    throw damaged(key, "it is not JSON", { cause });
  }
  if (version?.format !== 1) throw damaged(key, `format ${version?.format}, which this program does not know`);
  if (!isEntry(version.root, true) || version.root[1] !== "d") throw damaged(key, "its root is no directory");
  return version;
}

export interface VersionList {
  /** Oldest first. */
  versions: Version[];
  /** What is under a version's key and cannot be read as one. */
  damaged: { key: string; error: EngineError }[];
}

/** Versions that are read at once; a local store needs no more, a distant one hides its delay. */
const AT_ONCE = 16;

/** The keys and sizes of all versions. @throws StoreError */
export async function listVersionObjects(store: ObjectStore): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for await (const { key, size } of store.list(PREFIX)) sizes.set(key, size);
  return sizes;
}

/** The versions under some keys. One that is damaged hides no other. @throws StoreError */
export async function readVersions(
  access: RepositoryAccess,
  store: ObjectStore,
  keys: Iterable<string>,
): Promise<VersionList> {
  const list: VersionList = { versions: [], damaged: [] };
  await forEachAtOnce(keys, AT_ONCE, async (key) => {
    try {
      const id = key.slice(PREFIX.length);
      if (!isVersionId(id)) throw damaged(key, "its name is no version's");
      list.versions.push(await readVersion(access, store, id));
    } catch (error) {
      // One that was deleted since it was listed is no more; anything else is worth knowing.
      if (!(error instanceof EngineError)) throw error;
      if (error.kind !== "not-found") list.damaged.push({ key, error });
    }
  });
  list.versions.sort(byTime);
  return list;
}

/** All versions, each read from its own object. @throws StoreError */
export async function listVersions(access: RepositoryAccess, store: ObjectStore): Promise<VersionList> {
  return await readVersions(access, store, (await listVersionObjects(store)).keys());
}

/** Oldest first. */
export function byTime(a: Pick<Version, "createdAt">, b: Pick<Version, "createdAt">): number {
  return a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : 0;
}
