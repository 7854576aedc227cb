import { errno } from "./libc.ts";

/** Error numbers of the Linux ABI that the engine names, with words for a person. */
const ERRORS: Record<number, readonly [code: string, words: string]> = {
  1: ["EPERM", "operation not permitted"],
  2: ["ENOENT", "no such file or directory"],
  4: ["EINTR", "interrupted"],
  5: ["EIO", "input/output error"],
  6: ["ENXIO", "no such device"],
  7: ["E2BIG", "too large for the file system"],
  11: ["EAGAIN", "temporarily unavailable"],
  12: ["ENOMEM", "out of memory"],
  13: ["EACCES", "permission denied"],
  16: ["EBUSY", "in use"],
  17: ["EEXIST", "exists already"],
  18: ["EXDEV", "on another file system"],
  20: ["ENOTDIR", "not a directory"],
  21: ["EISDIR", "is a directory"],
  22: ["EINVAL", "not supported by the file system"],
  23: ["ENFILE", "too many open files on this system"],
  24: ["EMFILE", "too many open files"],
  26: ["ETXTBSY", "a running program"],
  27: ["EFBIG", "too large for the file system"],
  28: ["ENOSPC", "no space left on the disk"],
  30: ["EROFS", "read-only file system"],
  31: ["EMLINK", "too many links"],
  34: ["ERANGE", "too large"],
  36: ["ENAMETOOLONG", "name too long"],
  38: ["ENOSYS", "not supported by this kernel"],
  39: ["ENOTEMPTY", "directory not empty"],
  40: ["ELOOP", "a symbolic link is in the way"],
  61: ["ENODATA", "no such attribute"],
  84: ["EILSEQ", "a name that the file system does not allow"],
  95: ["EOPNOTSUPP", "not supported by the file system"],
  107: ["ENOTCONN", "the file system is not connected"],
  110: ["ETIMEDOUT", "timed out"],
  116: ["ESTALE", "stale file handle"],
  122: ["EDQUOT", "disk quota exceeded"],
};

/** A failed system call. `code` is the symbolic name (`ENOENT`), `message` is what a person needs to know of it. */
export class PosixError extends Error {
  override readonly name = "PosixError";
  readonly code: string;
  readonly call: string;

  constructor(call: string, number: number) {
    const [code, words] = ERRORS[number] ?? [`E${number}`, `error ${number}`];
    super(`${words} (${code}, ${call})`);
    this.code = code;
    this.call = call;
  }
}

/** The error of the call that has just failed. */
export function lastError(call: string): PosixError {
  return new PosixError(call, errno());
}

/** Whether an error is a {@link PosixError} with one of these codes. */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof PosixError && codes.includes(error.code);
}
