import { createHash } from "node:crypto";
import type { RepositoryAccess } from "../repository/access.ts";
import { ID_BYTES } from "../crypto/chunk_id.ts";
import { ChunkIndex, IndexBuilder } from "./chunk_index.ts";
import { SALT_BYTES } from "../crypto/cipher.ts";
import { damaged } from "../repository/damaged.ts";
import type { StoredPack } from "./pack_table.ts";
import { seal, unseal } from "../crypto/sealed.ts";
import { type ObjectStore, StoreError } from "../../cloud/object_store.ts";

const MAGIC = "SLINDEX1";
const PACK_LINE = ID_BYTES + SALT_BYTES + 9;

/** The key of an index segment's object. */
export function segmentObject(name: string): string {
  return `index/${name}`;
}

/** Stores a segment that names these packs, which must be in the store, and returns its name. @throws StoreError */
export async function writeIndexSegment(
  access: RepositoryAccess,
  store: ObjectStore,
  packs: readonly StoredPack[],
): Promise<string> {
  const object = seal(access, MAGIC, "", encode(packs));
  const name = createHash("sha256").update(object).digest("hex");
  await store.put(segmentObject(name), object);
  return name;
}

function encode(packs: readonly StoredPack[]): Uint8Array {
  const bytes = new Uint8Array(4 + packs.reduce((sum, { table }) => sum + PACK_LINE + table.length, 0));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, packs.length, true);
  let at = 4;
  for (const { name, salt, size, kind, table } of packs) {
    bytes.set(Uint8Array.fromHex(name), at);
    bytes.set(salt, at + ID_BYTES);
    at += ID_BYTES + SALT_BYTES;
    view.setUint32(at, size, true);
    view.setUint8(at + 4, kind === "data" ? 0 : 1);
    view.setUint32(at + 5, table.length, true);
    bytes.set(table, at + 9);
    at += 9 + table.length;
  }
  return bytes;
}

/** The packs that a segment names. @throws StoreError; EngineError `damaged` */
export async function readIndexSegment(
  access: RepositoryAccess,
  store: ObjectStore,
  name: string,
): Promise<StoredPack[]> {
  const what = segmentObject(name);
  const object = await store.read(what);
  if (createHash("sha256").update(object).digest("hex") !== name) throw damaged(what, "its name is not its SHA-256");
  return decode(unseal(access, MAGIC, "", object, what), what);
}

function decode(bytes: Uint8Array, what: string): StoredPack[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const need = (at: number, length: number) => {
    if (at + length > bytes.length) throw damaged(what, "it is cut off");
  };
  need(0, 4);
  const packs: StoredPack[] = [];
  let at = 4;
  for (let count = view.getUint32(0, true); count > 0; count--) {
    need(at, PACK_LINE);
    const name = bytes.subarray(at, at + ID_BYTES).toHex();
    const salt = bytes.slice(at + ID_BYTES, at + ID_BYTES + SALT_BYTES);
    at += ID_BYTES + SALT_BYTES;
    const [size, kind, length] = [view.getUint32(at, true), view.getUint8(at + 4), view.getUint32(at + 5, true)];
    if (kind > 1) throw damaged(what, `unknown kind of pack ${kind}`);
    at += 9;
    need(at, length);
    packs.push({ name, salt, size, kind: kind === 0 ? "data" : "tree", table: bytes.subarray(at, at + length) });
    at += length;
  }
  if (at !== bytes.length) throw damaged(what, "it has bytes after its end");
  return packs;
}

export interface LoadedIndex {
  index: ChunkIndex;
  /** Names of the segments that it was made from. */
  segments: string[];
}

/** Reading this many segments at once hides a distant store's delay. */
const AT_ONCE = 8;

/**
 * Loads all segments into memory that threads share. A segment that another process merges into a new one meanwhile is looked
 * for again.
 * @throws StoreError; EngineError `damaged`
 */
export async function loadIndex(access: RepositoryAccess, store: ObjectStore): Promise<LoadedIndex> {
  for (let attempt = 1;; attempt++) {
    try {
      return await loadOnce(access, store);
    } catch (error) {
      if (!(error instanceof StoreError && error.kind === "not-found") || attempt === 3) throw error;
    }
  }
}

async function loadOnce(access: RepositoryAccess, store: ObjectStore): Promise<LoadedIndex> {
  const segments: string[] = [];
  let size = 0;
  for await (const object of store.list("index/")) {
    segments.push(object.key.slice("index/".length));
    size += object.size;
  }
  const builder = new IndexBuilder(size);
  let next = 0;
  const lane = async () => {
    while (next < segments.length) {
      for (const pack of await readIndexSegment(access, store, segments[next++])) builder.add(pack);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return { index: builder.end(), segments };
}
