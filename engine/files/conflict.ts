import type { Conflict, ConflictStrategy } from "./types.ts";

/**
 * What becomes of a path that someone else changed in the target since the pair's last run:
 * `source` carries the step out, `target` leaves the target as it is, `both` first moves the target's version aside.
 */
export type Winner = "source" | "target" | "both";

/** The times that `LastWriteWins` compares; undefined where a side has nothing. */
export interface WriteTime {
  seconds: number;
  nanoseconds: number;
}

/**
 * Decides a conflict. With nothing on one side there is no time to compare, and what exists is kept, as nobody can get
 * back what a deletion took.
 */
export function resolveConflict(
  strategy: ConflictStrategy,
  source: WriteTime | undefined,
  target: WriteTime | undefined,
): Winner {
  switch (strategy) {
    case "SourceWins":
      return "source";
    case "TargetWins":
    case "Manual":
      return "target";
    case "KeepBoth":
    // What cannot be merged is kept.
    case "Merge":
      if (source === undefined) return "target";
      return target === undefined ? "source" : "both";
    case "LastWriteWins":
      if (source === undefined) return "target";
      if (target === undefined) return "source";
      return isLater(target, source) ? "target" : "source";
  }
}

/** Whether one time is after another. */
export function isLater(a: WriteTime, b: WriteTime): boolean {
  return a.seconds > b.seconds || a.seconds === b.seconds && a.nanoseconds > b.nanoseconds;
}

/** The words for {@link Conflict.resolution}. */
export function resolutionOf(strategy: ConflictStrategy, winner: Winner): Conflict["resolution"] {
  return strategy === "Manual" ? "unresolved" : winner;
}

const encoder = new TextEncoder();
const LONGEST_NAME = 255;

/**
 * The name under which `KeepBoth` keeps the target's version: `report.conflict-20240115T103000Z.txt`, or
 * `report.conflict-20240115T103000Z-2.txt` where that is taken.
 */
export function conflictName(name: string, stamp: string, isTaken: (name: string) => boolean): string {
  for (let count = 1;; count++) {
    const kept = nthConflictName(name, count === 1 ? stamp : `${stamp}-${count}`);
    if (!isTaken(kept)) return kept;
  }
}

function nthConflictName(name: string, stamp: string): string {
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 && name.length - dot <= 16 ? name.slice(dot) : "";
  const suffix = `.conflict-${stamp}${extension}`;
  let stem = extension === "" ? name : name.slice(0, dot);
  while (encoder.encode(stem + suffix).length > LONGEST_NAME) stem = [...stem].slice(0, -1).join("");
  return stem + suffix;
}

/** A moment as it stands in names: `20240115T103000Z`. */
export function timeStamp(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d+/g, "");
}
