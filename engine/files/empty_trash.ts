import { addError, emptyReport, type Report } from "./report.ts";
import { isTrash } from "./trash.ts";
import {
  close,
  type Descriptor,
  hasCode,
  Listing,
  openDirectoryAt,
  PosixError,
  readDirectory,
  removeDirectoryAt,
  Tree,
  unlinkAt,
} from "../posix/mod.ts";
import type { TaskContext } from "../../workers/types.ts";

export interface EmptyTrashInput {
  /** Absolute path of a side, with no link in it. */
  root: string;
  /** Name of the trash in it. */
  trash: string;
  /** Milliseconds since 1970: what runs that began earlier have put there goes. */
  before: number;
}

const FOLDER = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-/;

/**
 * Removes a trash's old folders, following no link; nothing where it is no trash or not there. What cannot be removed is in the
 * report, and costs nothing else.
 */
export function emptyTrash({ root, trash, before }: EmptyTrashInput, context: TaskContext): Report {
  const report = emptyReport();
  try {
    if (!isTrash(`${root}/${trash}`)) return report;
    using tree = new Tree(root);
    const directory = tree.directory(trash);
    for (const name of readDirectory(directory, new Listing()).names) {
      const [, year, month, day, hour, minute, second] = FOLDER.exec(name) ?? [];
      if (Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) < before) remove(directory, name, context);
    }
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    if (!hasCode(error, "ENOENT")) addError(report, trash, error);
  }
  return report;
}

/** Removes a directory with all that is in it. */
function remove(parent: Descriptor, name: string, context: TaskContext): void {
  const directory = openDirectoryAt(parent, name);
  try {
    const listing = readDirectory(directory, new Listing());
    for (let index = 0; index < listing.length; index++) {
      context.checkpoint();
      if (listing.type(index) === "directory") remove(directory, listing.names[index], context);
      else unlinkAt(directory, listing.names[index]);
    }
  } finally {
    close(directory);
  }
  removeDirectoryAt(parent, name);
}
