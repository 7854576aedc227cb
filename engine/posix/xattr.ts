/** Extended attributes of open files and directories (xattr(7)). Names are decoded as file names are. */
import type { Descriptor } from "./calls.ts";
import { hasCode, lastError, PosixError } from "./error.ts";
import { libc } from "./libc.ts";
import { decodeName, encodeNameInto } from "./name.ts";

export type Xattr = [name: string, value: Uint8Array<ArrayBuffer>];

/** Names take at most 255 bytes, a list and a value at most 64 KiB each (`linux/limits.h`). */
const MOST = 65_536;
const NAME = 256;
const listBuffer = new Uint8Array(MOST);
const valueBuffer = new Uint8Array(MOST);
const nameBuffer = new Uint8Array(NAME);
const ENAMETOOLONG = 36;

/** The names in the kernel's order; none where the file system has no attributes. @throws PosixError */
export function listXattrs(file: Descriptor): string[] {
  const length = libc.flistxattr(file, listBuffer, MOST);
  if (length === 0) return [];
  if (length < 0) {
    const error = lastError("listxattr");
    if (error.code === "EOPNOTSUPP") return [];
    throw error;
  }
  const names: string[] = [];
  for (let at = 0; at < length;) {
    const end = listBuffer.indexOf(0, at);
    names.push(decodeName(listBuffer.subarray(at, end)));
    at = end + 1;
  }
  return names;
}

/**
 * All attributes that this process may read, sorted by name. One that may not be read or that vanishes meanwhile is left out.
 * @throws PosixError
 */
export function readXattrs(file: Descriptor): Xattr[] {
  const names = listXattrs(file);
  const found: Xattr[] = [];
  for (const name of names.sort()) {
    const value = readXattr(file, name);
    if (value !== undefined) found.push([name, value]);
  }
  return found;
}

function readXattr(file: Descriptor, name: string): Uint8Array<ArrayBuffer> | undefined {
  const length = libc.fgetxattr(file, placeName(name, "getxattr"), valueBuffer, MOST);
  if (length >= 0) return valueBuffer.slice(0, length);
  const error = lastError("getxattr");
  if (hasCode(error, "ENODATA", "EPERM", "EACCES", "EOPNOTSUPP")) return undefined;
  throw error;
}

/** Sets an attribute, whether it is there or not. @throws PosixError `EOPNOTSUPP`, `EPERM` and others */
export function setXattr(file: Descriptor, name: string, value: Uint8Array<ArrayBuffer>): void {
  const bytes = placeName(name, "setxattr");
  if (libc.fsetxattr(file, bytes, value, value.length, 0) < 0) throw lastError("setxattr");
}

/** Removes an attribute; one that is not there is no error. @throws PosixError */
export function removeXattr(file: Descriptor, name: string): void {
  if (libc.fremovexattr(file, placeName(name, "removexattr")) === 0) return;
  const error = lastError("removexattr");
  if (error.code !== "ENODATA") throw error;
}

function placeName(name: string, call: string): Uint8Array<ArrayBuffer> {
  const length = encodeNameInto(name, nameBuffer.subarray(0, NAME - 1));
  if (length < 0) throw new PosixError(call, ENAMETOOLONG);
  nameBuffer[length] = 0;
  return nameBuffer;
}
