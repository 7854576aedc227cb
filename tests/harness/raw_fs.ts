/**
 * File calls on names of any bytes and with times to the nanosecond, which Deno's own cannot. Names are "binary
 * strings": one character a byte, so that invalid UTF-8 is a value like any other. Independent of the engine's bindings.
 */

const ERRNO_LOCATION = { parameters: [], result: "pointer" } as const;
const libc = Deno.dlopen("libc.so.6", {
  mkdir: { parameters: ["buffer", "u32"], result: "i32" },
  rmdir: { parameters: ["buffer"], result: "i32" },
  unlink: { parameters: ["buffer"], result: "i32" },
  rename: { parameters: ["buffer", "buffer"], result: "i32" },
  link: { parameters: ["buffer", "buffer"], result: "i32" },
  symlink: { parameters: ["buffer", "buffer"], result: "i32" },
  chmod: { parameters: ["buffer", "u32"], result: "i32" },
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  utimensat: { parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },
  __errno_location: ERRNO_LOCATION,
}).symbols;

const [O_WRONLY, O_CREAT, O_TRUNC, O_APPEND] = [0o1, 0o100, 0o1000, 0o2000];
const [AT_FDCWD, AT_SYMLINK_NOFOLLOW] = [-100, 0x100];

/** UTF-8 text as a binary string. */
export function utf8(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}

/** A binary string's bytes. */
export function toBytes(binary: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/** Bytes as a binary string. */
export function fromBytes(bytes: Uint8Array): string {
  let binary = "";
  for (let from = 0; from < bytes.length; from += 8192) {
    binary += String.fromCharCode(...bytes.subarray(from, from + 8192));
  }
  return binary;
}

function check(result: number | bigint, call: string, path: string): number {
  if (Number(result) >= 0) return Number(result);
  const location = libc.__errno_location();
  const errno = location === null ? -1 : new Deno.UnsafePointerView(location).getInt32();
  throw new Error(`${call} ${JSON.stringify(path)} failed with errno ${errno}`);
}

const cString = (binary: string): Uint8Array<ArrayBuffer> => toBytes(`${binary}\0`);

export interface WriteOptions {
  append?: boolean;
  /** Cut or extend to this size after writing. */
  size?: number;
}

/** Paths are binary strings; every call throws on failure, with the call's name and the error number. */
export const rawFs = {
  mkdir: (path: string, mode = 0o755) => check(libc.mkdir(cString(path), mode), "mkdir", path),
  rmdir: (path: string) => check(libc.rmdir(cString(path)), "rmdir", path),
  unlink: (path: string) => check(libc.unlink(cString(path)), "unlink", path),
  rename: (from: string, to: string) => check(libc.rename(cString(from), cString(to)), "rename", from),
  link: (from: string, to: string) => check(libc.link(cString(from), cString(to)), "link", to),
  symlink: (target: string, path: string) => check(libc.symlink(cString(target), cString(path)), "symlink", path),
  chmod: (path: string, mode: number) => check(libc.chmod(cString(path), mode), "chmod", path),
  /** Sets the modification time of the entry itself, a link included. */
  setMtime(path: string, nanoseconds: bigint): void {
    const second = 1_000_000_000n;
    const fraction = ((nanoseconds % second) + second) % second;
    const whole = (nanoseconds - fraction) / second;
    const times = new BigInt64Array([whole, fraction, whole, fraction]);
    const buffer = new Uint8Array(times.buffer);
    check(libc.utimensat(AT_FDCWD, cString(path), buffer, AT_SYMLINK_NOFOLLOW), "utimensat", path);
  },
  /** Creates or overwrites the file in place. */
  write(path: string, content: Uint8Array<ArrayBuffer>, options: WriteOptions = {}): void {
    const flags = O_WRONLY | O_CREAT | (options.append || options.size !== undefined ? 0 : O_TRUNC) |
      (options.append ? O_APPEND : 0);
    const file = check(libc.open(cString(path), flags, 0o644), "open", path);
    try {
      for (let done = 0; done < content.length;) {
        done += check(libc.write(file, content.subarray(done), BigInt(content.length - done)), "write", path);
      }
      if (options.size !== undefined) check(libc.ftruncate(file, BigInt(options.size)), "ftruncate", path);
    } finally {
      check(libc.close(file), "close", path);
    }
  },
};
