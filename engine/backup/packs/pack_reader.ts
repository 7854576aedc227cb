import type { RepositoryAccess } from "../repository/access.ts";
import { decrypt, TABLE_NONCE } from "../crypto/cipher.ts";
import { damaged } from "../repository/damaged.ts";
import { decodeHeader, decodeTrailer, frameKey, HEADER_BYTES, TRAILER_BYTES } from "./pack_frame.ts";
import { packObject, type StoredPack } from "./pack_table.ts";
import type { ObjectStore } from "../../cloud/object_store.ts";

/**
 * What a pack says of itself, by its own header, table and trailer: what an index can be made from. Its frames are not looked at.
 * @throws StoreError; EngineError `damaged`
 */
export async function readPackTable(
  access: RepositoryAccess,
  store: ObjectStore,
  name: string,
  size: number,
): Promise<StoredPack> {
  const what = packObject(name);
  if (size < HEADER_BYTES + TRAILER_BYTES) throw damaged(what, `only ${size} bytes`);
  const trailer = await store.read(what, { offset: size - TRAILER_BYTES, length: TRAILER_BYTES });
  const length = decodeTrailer(trailer, size, what);
  const header = await store.read(what, { offset: 0, length: HEADER_BYTES });
  const { kind, salt } = decodeHeader(header, access.encrypted, what);
  const stored = await store.read(what, { offset: size - TRAILER_BYTES - length, length });
  const key = frameKey(access, salt);
  const table = key === null ? stored : decrypt(key, TABLE_NONCE, stored, header, what);
  return { name, salt, size, kind, table };
}
