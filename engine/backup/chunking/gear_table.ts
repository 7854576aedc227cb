import { createCipheriv } from "node:crypto";

/** The 256 words of a repository's gear hash: the ChaCha20 key stream of its seed, FORMAT.md section 6. */
export function gearTable(seed: Uint8Array): Uint32Array<ArrayBuffer> {
  // OpenSSL's 16 bytes of counter and nonce, all zero.
  const stream = new Uint8Array(createCipheriv("chacha20", seed, new Uint8Array(16)).update(new Uint8Array(1024)));
  const view = new DataView(stream.buffer);
  return Uint32Array.from({ length: 256 }, (_, i) => view.getUint32(4 * i, true));
}
