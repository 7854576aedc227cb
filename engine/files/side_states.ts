import { type BaselineEntry, targetUnchanged } from "./baseline.ts";
import { isSameHash } from "./fingerprint.ts";
import type { SideState } from "./reconcile.ts";
import type { Listing } from "../posix/mod.ts";

/**
 * What one side's metadata tells of a path, against what both agreed on. `doubtful`: size and modification time are those of the common
 * version, but the inode has changed since. `retimed`: the size is the common one, the time is not.
 */
export type Look = "absent" | "unchanged" | "doubtful" | "retimed" | "changed";

/** How a target's entry looks; the source's with the sides swapped. */
export function lookOf(known: BaselineEntry | undefined, target: Listing | undefined, index: number): Look {
  if (target === undefined || index < 0) return "absent";
  if (!targetUnchanged(known, target, index)) {
    const isRetimed = known?.type === "file" && target.type(index) === "file" && known.size === target.size(index);
    return isRetimed ? "retimed" : "changed";
  }
  const print = known?.fingerprint;
  if (known?.type !== "file" || print === undefined) return "unchanged";
  const isSame = print.targetCtime === target.ctime(index) && print.targetCtimeNs === target.ctimeNs(index);
  return isSame ? "unchanged" : "doubtful";
}

type Side = "source" | "target";

export interface SideStates {
  source: SideState;
  target: SideState;
  /** SHA-256 of the common version, where it is known by now. */
  hash: Uint8Array | undefined;
}

/**
 * Makes states of looks by what the files hold, where only that tells. Reads no more than it has to: an edit that only one side has made
 * needs no hash.
 *
 * Where no hash of the common version is known, a side whose inode has not changed since has it. Where both have changed, they are
 * unchanged if they hold the same, and else both count as edited. A file that cannot be read, or not while it holds still, is what its
 * size and time say: the next run looks again.
 *
 * @param hash SHA-256 of the common version, where it is known
 * @param read SHA-256 of a side's file; undefined where it cannot be told
 */
export function sideStates(
  hash: Uint8Array | undefined,
  looks: Record<Side, Look>,
  read: (side: Side) => Uint8Array | undefined,
): SideStates {
  const { source, target } = looks;
  let common = hash;
  if (common === undefined && source === "doubtful" && target === "doubtful") {
    const [first, second] = [read("source"), read("target")];
    if (first === undefined || second === undefined || !isSameHash(first, second)) {
      const state = first === undefined || second === undefined ? "unchanged" : "changed";
      return { source: state, target: state, hash: undefined };
    }
    common = first;
  }
  if (common === undefined && source === "doubtful" && target === "unchanged") common = read("target");
  if (common === undefined && target === "doubtful" && source === "unchanged") common = read("source");
  /** Whether a side surely holds, or surely does not hold, the common version. */
  const holds = (side: Side) => {
    const own = common === undefined ? undefined : read(side);
    return own === undefined ? undefined : isSameHash(own, common);
  };
  const seen = (side: Side): SideState => {
    const look = looks[side];
    if (look === "doubtful") return holds(side) === false ? "changed" : "unchanged";
    return look === "retimed" ? "changed" : look;
  };
  const states = { source: seen("source"), target: seen("target") };
  const isOpposed = states.source !== "unchanged" && states.target !== "unchanged";
  const settle = (side: Side) =>
    isOpposed && looks[side] === "retimed" && holds(side) === true ? "touched" : states[side];
  return { source: settle("source"), target: settle("target"), hash: common };
}
