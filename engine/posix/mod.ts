/**
 * Files as the kernel has them: names of any bytes, nanosecond times, directories held open so that no link can lead
 * outside. Guarantees: every call says why it failed; nothing follows a link. Linux on x86-64 and ARM64 with the GNU C
 * library. All calls block, so they belong in a worker.
 */
export * from "./calls.ts";
export * from "./constants.ts";
export { hasCode, PosixError } from "./error.ts";
export { Listing, readDirectory } from "./listing.ts";
export { decodeName, displayName, encodeNameInto } from "./name.ts";
export { type EntryType, type Stat, typeOfMode } from "./stat.ts";
export * from "./transfer.ts";
export { openAbsolute, openPassage, Tree } from "./tree.ts";
export { listXattrs, readXattrs, removeXattr, setXattr, type Xattr } from "./xattr.ts";
export { ReadBuffer } from "./read_buffer.ts";
