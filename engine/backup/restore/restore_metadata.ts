import {
  At,
  type DirectoryEntry,
  type Entry,
  extraOf,
  type FileEntry,
  isSymlink,
  type SymlinkEntry,
} from "../trees/tree_entry.ts";
import { PathFailure } from "../../files/copy.ts";
import {
  chmodAt,
  chmodOf,
  chownAt,
  close,
  type Descriptor,
  hasCode,
  listXattrs,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  openAt,
  readXattrs,
  removeXattr,
  setTimesAt,
  setTimesOf,
  setXattr,
  type Stat,
  statAt,
  statOf,
} from "../../posix/mod.ts";

/** Set-user-ID and set-group-ID. */
const SET_ID = 0o6000;

/** Who owns an entry. */
export type Owner = Pick<Stat, "uid" | "gid">;

/**
 * The permissions that an entry gets where it belongs to `owner` and this process may (`owners`) or may not change that: a program must
 * not run as another user than the one who set its bits.
 */
export function permissionsFor(entry: Entry, owner: Owner, owners: boolean): number {
  const foreign = !owners && (owner.uid !== entry[At.uid] || owner.gid !== entry[At.gid]);
  return foreign ? entry[At.mode] & ~SET_ID : entry[At.mode];
}

/**
 * Gives an open file or directory its owner, permissions and extended attributes, in the order in which none undoes another.
 * @returns what could not be set, in words.
 */
export function describe(file: Descriptor, made: Owner, entry: Entry, owners: boolean): string[] {
  const wanted = extraOf(entry)?.xattrs ?? [];
  if (owners && (made.uid !== entry[At.uid] || made.gid !== entry[At.gid])) {
    chownAt(file, "", entry[At.uid], entry[At.gid]);
  }
  for (const name of listXattrs(file)) {
    if (isOurs(name) && !wanted.some(([other]) => other === name)) removeXattr(file, name);
  }
  chmodOf(file, permissionsFor(entry, made, owners));
  return setXattrs(file, wanted);
}

/** Whether an attribute is the user's: one that the version does not have must not be there. Others are the system's. */
function isOurs(name: string): boolean {
  return name.startsWith("user.") || name.startsWith("system.posix_acl_");
}

/** Sets a version's attributes. Those that only an administrator may set are left out where this process is none. */
function setXattrs(file: Descriptor, wanted: [name: string, value: string][]): string[] {
  const failures: string[] = [];
  for (const [name, value] of wanted) {
    try {
      setXattr(file, name, Uint8Array.fromBase64(value));
    } catch (error) {
      if (!isOurs(name) && hasCode(error, "EPERM", "EACCES", "EOPNOTSUPP")) continue;
      failures.push(`its attribute ${name} could not be set: ${(error as Error).message}`);
    }
  }
  return failures;
}

/**
 * Whether an attribute of the version is missing or another one in the file or directory that is there; `strict`: or whether it has one
 * more. Without it, what has none in the version is not looked at.
 * @param name `""` is the directory itself.
 */
export function xattrsDiffer(directory: Descriptor, name: string, entry: Entry, strict: boolean): boolean {
  const wanted = extraOf(entry)?.xattrs;
  if (wanted === undefined && !strict || isSymlink(entry)) return false;
  const file = openToRead(directory, name === "" ? "." : name);
  if (file === undefined) return wanted !== undefined;
  try {
    const there = new Map(readXattrs(file).map(([name, value]) => [name, value.toBase64()]));
    // What this process may not set, it may not find either.
    const differs = wanted?.some(([name, value]) => (isOurs(name) || there.has(name)) && there.get(name) !== value);
    if (differs || !strict) return differs === true;
    return [...there.keys()].some((name) => isOurs(name) && !wanted?.some(([other]) => other === name));
  } finally {
    close(file);
  }
}

/** Undefined where this process may not read it. */
function openToRead(directory: Descriptor, name: string): Descriptor | undefined {
  try {
    return openAt(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (hasCode(error, "EACCES")) return undefined;
    throw error;
  }
}

/** Whether anything of a file but its content differs from the version's. */
export function metadataDiffers(directory: Descriptor, entry: FileEntry, owners: boolean, strict: boolean): boolean {
  const there = statAt(directory, entry[At.name]);
  return owners && (there.uid !== entry[At.uid] || there.gid !== entry[At.gid]) ||
    there.permissions !== permissionsFor(entry, there, owners) || there.mtime !== entry[At.mtime] ||
    there.mtimeNs !== entry[At.mtimeNs] || xattrsDiffer(directory, entry[At.name], entry, strict);
}

/** Gives a symbolic link its owner and time. */
export function describeLink(directory: Descriptor, name: string, entry: SymlinkEntry, owners: boolean): void {
  if (owners) chownAt(directory, name, entry[At.uid], entry[At.gid]);
  setTimesAt(directory, name, entry[At.mtime], entry[At.mtimeNs]);
}

/** Gives an entry whose content is right the version's metadata. Returns what could not be set. */
export function updateMetadata(directory: Descriptor, entry: FileEntry | SymlinkEntry, owners: boolean): string[] {
  const name = entry[At.name];
  const there = statAt(directory, name);
  if (there.type !== (isSymlink(entry) ? "symlink" : "file")) {
    throw new PathFailure("became something else during the run");
  }
  if (isSymlink(entry)) {
    describeLink(directory, name, entry, owners);
    return [];
  }
  const file = openToRead(directory, name);
  let failures: string[] = [];
  if (file === undefined) {
    chmodAt(directory, name, permissionsFor(entry, there, owners));
  } else {
    try {
      failures = describe(file, there, entry, owners);
    } finally {
      close(file);
    }
  }
  setTimesAt(directory, name, entry[At.mtime], entry[At.mtimeNs]);
  return failures;
}

/** Gives a directory the version's metadata, after which nothing in it changes any more. Returns what could not be set. */
export function finishDirectory(directory: Descriptor, entry: DirectoryEntry, owners: boolean): string[] {
  const failures = describe(directory, statOf(directory), entry, owners);
  setTimesOf(directory, entry[At.mtime], entry[At.mtimeNs]);
  return failures;
}
