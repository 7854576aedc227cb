/**
 * The system calls that the engine uses, on names relative to open directories, throwing {@link PosixError}. They share
 * this thread's scratch memory: a name's address is good until the next call.
 */
import * as C from "./constants.ts";
import { lastError, PosixError } from "./error.ts";
import { addressOf, errno, libc } from "./libc.ts";
import { decodeName, encodeNameInto } from "./name.ts";
import { type Stat, typeOfMode } from "./stat.ts";

/** An open file's number. Who opened it closes it. */
export type Descriptor = number;

const PAGE = 4096;
const scratch = new ArrayBuffer(4 * PAGE);
const bytes = new Uint8Array(scratch);
const STAT_AT = 2 * PAGE;
const TIMES_AT = STAT_AT + 512;
const EMPTY_AT = STAT_AT + 1024;
const LINK_AT = 3 * PAGE;
const words = new Uint32Array(scratch, STAT_AT, 64);
const signed = new BigInt64Array(scratch, STAT_AT, 32);
const pages = [bytes.subarray(0, PAGE - 1), bytes.subarray(PAGE, 2 * PAGE - 1)] as const;
// As BigInts: where optimised code passes a number for an address, it goes the slow way into the call, or is thrown away.
const base = BigInt(addressOf(scratch));
const PAGE_ADDRESS = [base, base + BigInt(PAGE)] as const;
const STAT_ADDRESS = base + BigInt(STAT_AT);
const TIMES_ADDRESS = base + BigInt(TIMES_AT);
const EMPTY_ADDRESS = base + BigInt(EMPTY_AT);
const LINK_ADDRESS = base + BigInt(LINK_AT);
const times = new BigInt64Array(scratch, TIMES_AT, 4);

const ENAMETOOLONG = 36;
const EINTR = 4;
const W_OK = 2;
const UTIME_OMIT = 0x3ffffffen;

/** Puts a name and its NUL at a page of the scratch memory and returns its address. */
function place(name: string, page: 0 | 1, call: string): bigint {
  const length = encodeNameInto(name, pages[page]);
  if (length < 0) throw new PosixError(call, ENAMETOOLONG);
  bytes[page * PAGE + length] = 0;
  return PAGE_ADDRESS[page];
}

/**
 * Opens a name. The caller says whether links may be followed; `O_CLOEXEC` is always set.
 * @throws PosixError
 */
export function openAt(directory: Descriptor, name: string, flags: number, mode = 0): Descriptor {
  for (;;) {
    const descriptor = libc.openat(directory, place(name, 0, "open"), flags | C.O_CLOEXEC, mode);
    if (descriptor >= 0) return descriptor;
    if (errno() !== EINTR) throw lastError("open");
  }
}

/** Opens a directory and never follows a link at the name itself. */
export function openDirectoryAt(directory: Descriptor, name: string): Descriptor {
  return openAt(directory, name, C.O_RDONLY | C.O_DIRECTORY | C.O_NOFOLLOW);
}

/** As {@link openDirectoryAt}, only to go through it: needs no permission to list it. */
export function openPassageAt(directory: Descriptor, name: string): Descriptor {
  return openAt(directory, name, C.O_PATH | C.O_DIRECTORY | C.O_NOFOLLOW);
}

export function close(descriptor: Descriptor): void {
  if (libc.close(descriptor) < 0) throw lastError("close");
}

function readStat(): Stat {
  const mode = words[7] & 0xffff;
  return {
    type: typeOfMode(mode),
    permissions: mode & 0o7777,
    uid: words[5],
    gid: words[6],
    links: words[4],
    size: Number(signed[5]),
    allocated: Number(signed[6]) * 512,
    mtime: Number(signed[14]),
    mtimeNs: words[30],
    ctime: Number(signed[12]),
    ctimeNs: words[26],
    identity: `${words[34]}:${words[35]}:${signed[4]}`,
  };
}

/** Metadata of a name, of the link itself where it is one. */
export function statAt(directory: Descriptor, name: string): Stat {
  const flags = C.AT_SYMLINK_NOFOLLOW | C.AT_NO_AUTOMOUNT;
  if (libc.statx(directory, place(name, 0, "stat"), flags, C.STATX_BASIC_STATS, STAT_ADDRESS) < 0) {
    throw lastError("stat");
  }
  return readStat();
}

/** As {@link statAt}, undefined where there is no such name. */
export function statIfPresent(directory: Descriptor, name: string): Stat | undefined {
  try {
    return statAt(directory, name);
  } catch (error) {
    if (error instanceof PosixError && error.code === "ENOENT") return undefined;
    throw error;
  }
}

export function statOf(descriptor: Descriptor): Stat {
  if (libc.statx(descriptor, EMPTY_ADDRESS, C.AT_EMPTY_PATH, C.STATX_BASIC_STATS, STAT_ADDRESS) < 0) {
    throw lastError("stat");
  }
  return readStat();
}

export function readLinkAt(directory: Descriptor, name: string): string {
  const length = libc.readlinkat(directory, place(name, 0, "readlink"), LINK_ADDRESS, BigInt(PAGE));
  if (length < 0) throw lastError("readlink");
  if (length === PAGE) throw new PosixError("readlink", ENAMETOOLONG);
  return decodeName(bytes.subarray(LINK_AT, LINK_AT + length));
}

export function makeSymlinkAt(to: string, directory: Descriptor, name: string): void {
  if (libc.symlinkat(place(to, 0, "symlink"), directory, place(name, 1, "symlink")) < 0) throw lastError("symlink");
}

/** Makes a FIFO, socket or device as another one is, with its permissions under the umask. Devices need CAP_MKNOD. */
export function makeSpecialLike(from: Descriptor, name: string, to: Descriptor, newName: string): void {
  statAt(from, name);
  const [mode, major, minor] = [words[7] & 0xffff, BigInt(words[32]), BigInt(words[33])];
  const device = (major & ~0xfffn) << 32n | (major & 0xfffn) << 8n | (minor & ~0xffn) << 12n | minor & 0xffn;
  if (libc.mknodat(to, place(newName, 0, "mknod"), mode, device) < 0) throw lastError("mknod");
}

export function makeDirectoryAt(directory: Descriptor, name: string, mode: number): void {
  if (libc.mkdirat(directory, place(name, 0, "mkdir"), mode) < 0) throw lastError("mkdir");
}

export function unlinkAt(directory: Descriptor, name: string): void {
  if (libc.unlinkat(directory, place(name, 0, "unlink"), 0) < 0) throw lastError("unlink");
}

export function removeDirectoryAt(directory: Descriptor, name: string): void {
  if (libc.unlinkat(directory, place(name, 0, "rmdir"), C.AT_REMOVEDIR) < 0) throw lastError("rmdir");
}

/** Renames over what has the new name: whoever opens the new name gets the old content or the new one, whole. */
export function renameAt(from: Descriptor, name: string, to: Descriptor, newName: string): void {
  if (libc.renameat(from, place(name, 0, "rename"), to, place(newName, 1, "rename")) < 0) throw lastError("rename");
}

/**
 * Renames, and fails with `EEXIST` where the new name is taken. On a file system that cannot say so in one step, the check
 * and the rename are two.
 */
export function renameToFree(from: Descriptor, name: string, to: Descriptor, newName: string): void {
  const [old, fresh] = [place(name, 0, "rename"), place(newName, 1, "rename")];
  if (libc.renameat2(from, old, to, fresh, C.RENAME_NOREPLACE) === 0) return;
  const error = lastError("rename");
  if (error.code !== "EINVAL" && error.code !== "ENOSYS") throw error;
  if (statIfPresent(to, newName) !== undefined) throw new PosixError("rename", 17);
  renameAt(from, name, to, newName);
}

export function linkAt(from: Descriptor, name: string, to: Descriptor, newName: string): void {
  if (libc.linkat(from, place(name, 0, "link"), to, place(newName, 1, "link"), 0) < 0) throw lastError("link");
}

export function chmodOf(descriptor: Descriptor, permissions: number): void {
  if (libc.fchmod(descriptor, permissions) < 0) throw lastError("chmod");
}

/** Never follows a link; a link itself has no permissions to set. */
export function chmodAt(directory: Descriptor, name: string, permissions: number): void {
  const result = libc.fchmodat(directory, place(name, 0, "chmod"), permissions, C.AT_SYMLINK_NOFOLLOW);
  if (result < 0) throw lastError("chmod");
}

/** Never follows a link. An empty name means the descriptor itself. */
export function chownAt(directory: Descriptor, name: string, uid: number, gid: number): void {
  const flags = C.AT_SYMLINK_NOFOLLOW | (name === "" ? C.AT_EMPTY_PATH : 0);
  if (libc.fchownat(directory, place(name, 0, "chown"), uid, gid, flags) < 0) throw lastError("chown");
}

function placeTimes(mtime: number, mtimeNs: number): bigint {
  times[0] = 0n;
  times[1] = UTIME_OMIT;
  times[2] = BigInt(mtime);
  times[3] = BigInt(mtimeNs);
  return TIMES_ADDRESS;
}

/** Sets the modification time and leaves the access time. */
export function setTimesOf(descriptor: Descriptor, mtime: number, mtimeNs: number): void {
  if (libc.futimens(descriptor, placeTimes(mtime, mtimeNs)) < 0) throw lastError("utimens");
}

/** As {@link setTimesOf}, on a name, of the link itself where it is one. */
export function setTimesAt(directory: Descriptor, name: string, mtime: number, mtimeNs: number): void {
  const at = placeTimes(mtime, mtimeNs);
  if (libc.utimensat(directory, place(name, 0, "utimens"), at, C.AT_SYMLINK_NOFOLLOW) < 0) throw lastError("utimens");
}

/** Checks that this process may write into an open directory. @throws PosixError `EACCES`, `EROFS` */
export function checkWritable(directory: Descriptor): void {
  if (libc.faccessat(directory, place(".", 0, "access"), W_OK, C.AT_EACCESS) < 0) throw lastError("access");
}

/** Waits until everything written to the descriptor's file system so far is on the device. */
export function syncFileSystem(descriptor: Descriptor): void {
  if (libc.syncfs(descriptor) < 0) throw lastError("syncfs");
}

/** Writes all bytes at the end of a file opened with `O_APPEND`; what other writers append does not come between. */
export function appendTo(descriptor: Descriptor, data: Uint8Array<ArrayBuffer>): void {
  for (let written = 0; written < data.length;) {
    const count = libc.write(descriptor, data.subarray(written), data.length - written);
    if (count >= 0) written += count;
    else if (errno() !== EINTR) throw lastError("write");
  }
}

export function truncate(descriptor: Descriptor, size: number): void {
  if (libc.ftruncate(descriptor, BigInt(size)) < 0) throw lastError("truncate");
}

/**
 * Where the next data (`SEEK_DATA`) or hole (`SEEK_HOLE`) at or after an offset begins; −1 where there is none. A file system
 * that knows no holes says that all is data.
 */
export function seek(descriptor: Descriptor, offset: number, whence: number): number {
  const at = Number(libc.lseek(descriptor, BigInt(offset), whence));
  if (at >= 0) return at;
  const error = lastError("lseek");
  if (error.code === "ENXIO") return -1;
  throw error;
}

/** Shares the source's blocks with an empty file of the same file system; false where that is not possible. */
export function cloneFile(source: Descriptor, target: Descriptor): boolean {
  return libc.ioctl(target, C.FICLONE, source) === 0;
}

const LINUX_CAPABILITY_VERSION_3 = 0x20080522;
const CAP_CHOWN = 0;

/** Whether this process may give files to any owner: root, but not in a container that took that right away. */
export function mayChangeOwner(): boolean {
  const header = Uint32Array.of(LINUX_CAPABILITY_VERSION_3, 0);
  const sets = new Uint32Array(6);
  if (libc.capget(header, sets) < 0) throw lastError("capget");
  return (sets[0] & 1 << CAP_CHOWN) !== 0;
}
