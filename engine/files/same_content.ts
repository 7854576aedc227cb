import { close, type Descriptor, openAt, ReadBuffer } from "../posix/mod.ts";
import { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } from "../posix/constants.ts";

const PIECE = 1 << 20;

let buffers: [ReadBuffer, ReadBuffer] | undefined;

/**
 * Whether two files hold the same bytes.
 * @param checkpoint called between pieces of 1 MiB
 * @throws PosixError
 */
export function sameContent(from: Descriptor, to: Descriptor, name: string, checkpoint: () => void): boolean {
  buffers ??= [new ReadBuffer(PIECE), new ReadBuffer(PIECE)];
  const [first, second] = buffers;
  const a = openAt(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const b = openAt(to, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      for (let offset = 0;; offset += PIECE) {
        checkpoint();
        const count = first.read(a, 0, PIECE, offset);
        if (second.read(b, 0, PIECE, offset) !== count) return false;
        if (!equal(first.bytes, second.bytes, count)) return false;
        if (count < PIECE) return true;
      }
    } finally {
      close(b);
    }
  } finally {
    close(a);
  }
}

function equal(a: Uint8Array, b: Uint8Array, length: number): boolean {
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}
