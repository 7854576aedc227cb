import { PathFailure } from "./copy.ts";
import {
  chmodAt,
  chmodOf,
  chownAt,
  type Descriptor,
  hasCode,
  setTimesAt,
  setTimesOf,
  type Stat,
  statAt,
  statOf,
} from "../posix/mod.ts";

/** Which metadata a run keeps. */
export interface MetadataOptions {
  preservePermissions: boolean;
  /** Whether owners can be set. */
  owners: boolean;
}

/** Gives a symbolic link its source's owner and time. */
export function describeLink(to: Descriptor, name: string, source: Stat, options: MetadataOptions): void {
  if (options.preservePermissions && options.owners) chownAt(to, name, source.uid, source.gid);
  setTimesAt(to, name, source.mtime, source.mtimeNs);
}

/** Gives an entry whose content is right its source's metadata. */
export function updateMetadata(from: Descriptor, to: Descriptor, name: string, options: MetadataOptions): void {
  const source = statAt(from, name);
  if (statAt(to, name).type !== source.type) throw new PathFailure("became something else during the run");
  if (source.type === "symlink") return describeLink(to, name, source, options);
  if (options.owners) chownAt(to, name, source.uid, source.gid);
  chmodAt(to, name, source.permissions);
}

/** Gives a directory its source's metadata, after which nothing in it changes any more. */
export function finishDirectory(from: Descriptor, to: Descriptor, options: MetadataOptions): void {
  const [source, target] = [statOf(from), statOf(to)];
  if (options.preservePermissions) {
    const owner = source.uid !== target.uid || source.gid !== target.gid;
    if (options.owners && owner) chownAt(to, "", source.uid, source.gid);
    chmodOf(to, source.permissions);
  }
  setTimesOf(to, source.mtime, source.mtimeNs);
}

/**
 * Lets this process write into a read-only directory of its own; {@link finishDirectory} gives the directory its permissions back. Returns
 * whether that changed anything.
 */
export function makeWritable(directory: Descriptor): boolean {
  const { permissions } = statOf(directory);
  if ((permissions & 0o300) === 0o300) return false;
  try {
    chmodOf(directory, permissions | 0o300);
    return true;
  } catch (error) {
    if (hasCode(error, "EPERM", "EROFS")) return false;
    throw error;
  }
}
