/** The fixed parts of a pack, and its frames as bytes (FORMAT section 4). */
import type { KeyAccess } from "../repository/access.ts";
import { decrypt, packKey, SALT_BYTES } from "../crypto/cipher.ts";
import { decompress } from "./compression.ts";
import { damaged } from "../repository/damaged.ts";
import { Codec, type PackKind } from "./pack_table.ts";
import { release } from "./release.ts";

export const HEADER_BYTES = 48;
export const TRAILER_BYTES = 16;

const HEADER_MAGIC = "SLPACK01";
const TRAILER_MAGIC = "SLPACKED";
const SALT_AT = 16;
const NONE = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");

export function encodeHeader(encrypted: boolean, kind: PackKind, salt: Uint8Array): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(HEADER_BYTES);
  encoder.encodeInto(HEADER_MAGIC, header);
  header[8] = encrypted ? 1 : 0;
  header[9] = kind === "data" ? 0 : 1;
  header.set(salt, SALT_AT);
  return header;
}

/** @throws EngineError `damaged`, also where the mode is not the repository's. */
export function decodeHeader(
  header: Uint8Array,
  encrypted: boolean,
  what: string,
): { kind: PackKind; salt: Uint8Array } {
  if (decoder.decode(header.subarray(0, 8)) !== HEADER_MAGIC) throw damaged(what, "it does not begin as a pack does");
  if (header[8] !== (encrypted ? 1 : 0)) throw damaged(what, `mode ${header[8]}, which must not be in this repository`);
  if (header[9] > 1) throw damaged(what, `unknown kind ${header[9]}`);
  for (let i = 10; i < SALT_AT; i++) {
    if (header[i] !== 0) throw damaged(what, "its header has bytes that must be zero");
  }
  const salt = header.slice(SALT_AT, SALT_AT + SALT_BYTES);
  if (!encrypted && salt.some((byte) => byte !== 0)) throw damaged(what, "its header has bytes that must be zero");
  return { kind: header[9] === 0 ? "data" : "tree", salt };
}

export function encodeTrailer(tableLength: number): Uint8Array<ArrayBuffer> {
  const trailer = new Uint8Array(TRAILER_BYTES);
  new DataView(trailer.buffer).setUint32(0, tableLength, true);
  trailer.set(encoder.encode(TRAILER_MAGIC), 8);
  return trailer;
}

/** The stored length of the table. @throws EngineError `damaged` */
export function decodeTrailer(trailer: Uint8Array, packSize: number, what: string): number {
  const view = new DataView(trailer.buffer, trailer.byteOffset, trailer.byteLength);
  if (decoder.decode(trailer.subarray(8)) !== TRAILER_MAGIC || view.getUint32(4, true) !== 0) {
    throw damaged(what, "it does not end as a pack does");
  }
  const length = view.getUint32(0, true);
  if (HEADER_BYTES + length + TRAILER_BYTES > packSize) throw damaged(what, "its table is longer than it is");
  return length;
}

/** The key of a pack's frames; null in a plain repository. */
export function frameKey(access: KeyAccess, salt: Uint8Array): Uint8Array | null {
  return access.masterKey === null ? null : packKey(access.masterKey, salt);
}

/** A frame's bytes before compression. @throws EngineError `damaged` */
export function openFrame(
  stored: Uint8Array,
  { key, number, codec, plainLength }: { key: Uint8Array | null; number: number; codec: Codec; plainLength: number },
  what: string,
): Uint8Array {
  const compressed = key === null ? stored : decrypt(key, number, stored, NONE, what);
  if (codec === Codec.zstd) {
    const plain = decompress(compressed, plainLength, what);
    if (key !== null) release(compressed as Uint8Array<ArrayBuffer>);
    return plain;
  }
  if (compressed.length !== plainLength) throw damaged(what, "a frame has another length than its table says");
  return compressed;
}
