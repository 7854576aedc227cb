import type { FileState, UnmergedReason } from "../types.ts";
import { isBinary } from "../../merge/mod.ts";
import { close, type Descriptor, hasCode, openAt, PosixError, readInto, statOf } from "../../posix/mod.ts";
import { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } from "../../posix/constants.ts";

/** The largest file whose versions are kept and merged, bytes. Three of them and their merge take some ten times that in memory. */
export const MOST_BYTES = 4 << 20;

/** Most files that are not text show it in their first bytes. */
const FIRST = 1 << 15;

export type TextOutcome = { text: Uint8Array } | { reason: UnmergedReason };

/**
 * Reads one version of a file that can be merged. No link is followed.
 * @throws PosixError where it cannot be read
 */
export function readText(directory: Descriptor, name: string, state: FileState): TextOutcome {
  if (state.size > MOST_BYTES) return { reason: "too-large" };
  let file: Descriptor;
  try {
    file = openAt(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR", "ELOOP")) return { reason: "changed-meanwhile" };
    throw error;
  }
  try {
    if (!isVersion(file, state)) return { reason: "changed-meanwhile" };
    const text = new Uint8Array(state.size);
    const first = readInto(file, text.subarray(0, FIRST), 0);
    if (isBinary(text.subarray(0, first))) return { reason: "binary" };
    const count = first + readInto(file, text.subarray(first), first);
    if (count < state.size || !isVersion(file, state)) return { reason: "changed-meanwhile" };
    return isBinary(text) ? { reason: "binary" } : { text };
  } finally {
    close(file);
  }
}

function isVersion(file: Descriptor, { size, mtime, mtimeNs }: FileState): boolean {
  const stat = statOf(file);
  return stat.type === "file" && stat.size === size && stat.mtime === mtime && stat.mtimeNs === mtimeNs;
}

/** As {@link readText}, of a file that may be out of reach. */
export function readTextIfReadable(directory: Descriptor, name: string, state: FileState): TextOutcome {
  try {
    return readText(directory, name, state);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return { reason: "changed-meanwhile" };
  }
}
