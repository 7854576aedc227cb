/** Catalogs: objects that repeat what a list of versions shows, so that a reader need not ask for each (FORMAT section 8.1). */
import { createHash } from "node:crypto";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { RepositoryAccess } from "../repository/access.ts";
import { damaged } from "../repository/damaged.ts";
import { isLoss } from "../maintenance/loss.ts";
import { seal, unseal } from "../crypto/sealed.ts";
import { isVersionId, type Version } from "./version.ts";
import { forEachAtOnce } from "../../at_once.ts";
import { type ObjectStore, StoreError } from "../../cloud/object_store.ts";
import type { EngineError } from "../../errors.ts";

/** A version without what only its restore or its own page needs. */
export type VersionHead = Omit<Version, "root" | "changes" | "errors">;

/** What a catalog says of a version. */
export interface CatalogEntry {
  /** Bytes of the version's object: where the store has another number, the entry does not count. */
  size: number;
  head: VersionHead;
}

export interface Catalog {
  name: string;
  /** By the versions' ids. */
  entries: Map<string, CatalogEntry>;
}

const MAGIC = "SLCATLG1";
const PREFIX = "catalogs/";
/** Far more than a million versions take. */
const MOST_BYTES = 2 ** 30;
const LEVEL = 3;
const AT_ONCE = 16;

/** The key of a catalog's object. */
export function catalogObject(name: string): string {
  return PREFIX + name;
}

export function headOf({ root: _root, changes: _changes, errors: _errors, ...head }: Version): VersionHead {
  return head;
}

/** Stores a catalog of versions, which must be in the store, and returns its name. @throws StoreError */
export async function writeCatalog(
  access: RepositoryAccess,
  store: ObjectStore,
  entries: readonly CatalogEntry[],
): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify(entries.map(({ size, head }) => [size, head])));
  const payload = zstdCompressSync(text, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } });
  const object = seal(access, MAGIC, "", payload);
  const name = createHash("sha256").update(object).digest("hex");
  await store.put(catalogObject(name), object);
  return name;
}

/** @throws StoreError; EngineError `damaged` */
export async function readCatalog(access: RepositoryAccess, store: ObjectStore, name: string): Promise<Catalog> {
  const key = catalogObject(name);
  const object = await store.read(key);
  if (createHash("sha256").update(object).digest("hex") !== name) throw damaged(key, "its name is not its SHA-256");
  return { name, entries: parse(unseal(access, MAGIC, "", object, key), key) };
}

function parse(payload: Uint8Array, key: string): Map<string, CatalogEntry> {
  let lines: unknown;
  try {
    const text = zstdDecompressSync(payload, { maxOutputLength: MOST_BYTES });
    lines = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(text));
  } catch (cause) {
    throw damaged(key, "it is not JSON in zstd", { cause });
  }
  if (!Array.isArray(lines)) throw damaged(key, "it is no list");
  const entries = new Map<string, CatalogEntry>();
  for (const line of lines) {
    const [size, head] = Array.isArray(line) ? line : [];
    if (!Number.isSafeInteger(size) || head?.format !== 1 || !isVersionId(head.versionId)) {
      throw damaged(key, "it has an entry that is none");
    }
    entries.set(head.versionId, { size, head });
  }
  return entries;
}

/** What {@link readCatalogs} found. */
export interface Catalogs {
  catalogs: Catalog[];
  damaged: { key: string; error: EngineError }[];
}

/** All catalogs that can be read. One that another process replaced meanwhile is looked for again. @throws StoreError */
export async function readCatalogs(access: RepositoryAccess, store: ObjectStore): Promise<Catalogs> {
  for (let attempt = 1;; attempt++) {
    const found: Catalogs = { catalogs: [], damaged: [] };
    const names: string[] = [];
    for await (const { key } of store.list(PREFIX)) names.push(key.slice(PREFIX.length));
    let isReplaced = false;
    await forEachAtOnce(names, AT_ONCE, async (name) => {
      try {
        found.catalogs.push(await readCatalog(access, store, name));
      } catch (error) {
        if (isLoss(error)) found.damaged.push({ key: catalogObject(name), error: error as EngineError });
        else if (error instanceof StoreError && error.kind === "not-found") isReplaced = true;
        else throw error;
      }
    });
    if (!isReplaced || attempt === 3) return found;
  }
}
