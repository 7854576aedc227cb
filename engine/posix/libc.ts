/**
 * The C library's file calls, bound once per thread.
 *
 * Deno's own file API keeps times to the millisecond, cannot name a file relative to an open directory, cannot refuse to
 * follow a link, and loses names that are not UTF-8. Each of these loses a user's data or opens a way out of a root, so
 * the engine speaks to the kernel directly. A call costs 0.1 to 0.4 µs here, a fifth of `Deno.lstatSync`.
 *
 * Memory is passed as plain addresses (`usize`): the caller keeps the `ArrayBuffer` behind an address alive during the call.
 * All calls block; heavy use belongs in a worker.
 */

const PATHS = [
  "/lib/x86_64-linux-gnu/libc.so.6",
  "/lib/aarch64-linux-gnu/libc.so.6",
  "/lib64/libc.so.6",
  "/usr/lib/libc.so.6",
];

const SYMBOLS = {
  openat: { parameters: ["i32", "usize", "i32", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  // Results of 64 bits that are surely below 2^31 are taken as 32: the others come as a number or a BigInt as V8 sees fit.
  pread: { parameters: ["i32", "usize", "usize", "i64"], result: "i32" },
  pwrite: { parameters: ["i32", "usize", "usize", "i64"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  readInto: { name: "pread", parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  writeFrom: { name: "pwrite", parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  // On another thread, so the error number of a failed call is lost.
  readIntoLater: {
    name: "pread",
    parameters: ["i32", "buffer", "usize", "i64"],
    result: "i32",
    nonblocking: true,
  },
  writeFromLater: {
    name: "pwrite",
    parameters: ["i32", "buffer", "usize", "i64"],
    result: "i32",
    nonblocking: true,
  },
  fsyncLater: { name: "fsync", parameters: ["i32"], result: "i32", nonblocking: true },
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  ioctl: { parameters: ["i32", "usize", "i32"], result: "i32" },
  syncfs: { parameters: ["i32"], result: "i32" },
  statx: { parameters: ["i32", "usize", "i32", "u32", "usize"], result: "i32" },
  // For calls by the hundred thousand: buffers pass faster than addresses.
  statxOf: { name: "statx", parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
  fstatfs: { parameters: ["i32", "usize"], result: "i32" },
  getdents64: { parameters: ["i32", "usize", "usize"], result: "i32" },
  mkdirat: { parameters: ["i32", "usize", "u32"], result: "i32" },
  mknodat: { parameters: ["i32", "usize", "u32", "u64"], result: "i32" },
  unlinkat: { parameters: ["i32", "usize", "i32"], result: "i32" },
  renameat: { parameters: ["i32", "usize", "i32", "usize"], result: "i32" },
  renameat2: { parameters: ["i32", "usize", "i32", "usize", "u32"], result: "i32" },
  linkat: { parameters: ["i32", "usize", "i32", "usize", "i32"], result: "i32" },
  symlinkat: { parameters: ["usize", "i32", "usize"], result: "i32" },
  readlinkat: { parameters: ["i32", "usize", "usize", "usize"], result: "i32" },
  fchmodat: { parameters: ["i32", "usize", "u32", "i32"], result: "i32" },
  fchmod: { parameters: ["i32", "u32"], result: "i32" },
  fchownat: { parameters: ["i32", "usize", "u32", "u32", "i32"], result: "i32" },
  utimensat: { parameters: ["i32", "usize", "usize", "i32"], result: "i32" },
  futimens: { parameters: ["i32", "usize"], result: "i32" },
  capget: { parameters: ["buffer", "buffer"], result: "i32" },
  flistxattr: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  fgetxattr: { parameters: ["i32", "buffer", "buffer", "usize"], result: "i32" },
  fsetxattr: { parameters: ["i32", "buffer", "buffer", "usize", "i32"], result: "i32" },
  fremovexattr: { parameters: ["i32", "buffer"], result: "i32" },
  faccessat: { parameters: ["i32", "usize", "i32", "i32"], result: "i32" },
  flock: { parameters: ["i32", "i32"], result: "i32" },
  memcpy: { parameters: ["buffer", "usize", "usize"], result: "usize" },
  memcmp: { parameters: ["usize", "buffer", "usize"], result: "i32" },
  __errno_location: { parameters: [], result: "usize" },
} as const;

type Bound = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** Deno types 64-bit parameters as `bigint`, but takes and prefers numbers where they are exact: addresses and sizes here. */
type Libc = {
  [K in keyof Bound]: Bound[K] extends (...parameters: infer P) => infer R
    ? (...parameters: { [I in keyof P]: P[I] extends bigint ? number | bigint : P[I] }) => R
    : never;
};

function bind(): Bound {
  if (Deno.build.os !== "linux") {
    throw new Error(`Cannot use the files of this system: Syncline runs on Linux, this is ${Deno.build.os}`);
  }
  let last: unknown;
  for (const path of PATHS) {
    try {
      return Deno.dlopen(path, SYMBOLS).symbols;
    } catch (error) {
      last = error;
    }
  }
  throw new Error(`Cannot load the GNU C library from any of ${PATHS.join(", ")}`, { cause: last });
}

/** The bound calls. Each returns what the C function returns; on −1 {@link errno} says why. */
export const libc = bind() as unknown as Libc;

/** The C library keeps one error number for each thread, always at the same address. */
const errnoAddress = libc.__errno_location();
const errnoValue = new Int32Array(1);

/** The error number of this thread's last failed call. Read it before any other call. */
export function errno(): number {
  libc.memcpy(errnoValue, errnoAddress, 4);
  return errnoValue[0];
}

/**
 * The address of a buffer's first byte. The buffer must be over 64 bytes long, so that V8 never moves it. `memcpy` of nothing
 * tells it; `Deno.UnsafePointer` would ask for leave to load any library.
 */
export function addressOf(buffer: ArrayBuffer): number {
  return Number(libc.memcpy(new Uint8Array(buffer), 0, 0));
}
