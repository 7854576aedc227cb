import { resolveConflict, type Winner, type WriteTime } from "./conflict.ts";
import type { ConflictStrategy } from "./types.ts";

/** What one side has of a path, against what both agreed on after their last run. */
export type SideState = "absent" | "unchanged" | "changed";

/** A path of a pair that is kept equal in both directions, as the pass from `source` to `target` sees it. */
export interface PathState {
  /** Whether the sides agreed on something there. */
  known: boolean;
  source: SideState;
  target: SideState;
  sourceTime: WriteTime | undefined;
  targetTime: WriteTime | undefined;
}

/** What a pass does with a path: `winner` as for a conflict; `target` leaves it, to the other pass or for good. */
export interface Decision {
  winner: Winner;
  conflict: boolean;
}

/**
 * Decides over a path whose two sides differ. Pure, and made so that the passes from left to right and back, which both ask it with the
 * same baseline, carry out each change once: a pass acts where its source changed and its target did not. Where both did, it is a
 * conflict: a deletion loses against an edit, whatever the strategy, since nobody can get back what it took.
 *
 * @param pass whose `SourceWins` it is: the request's source is the source of the pass `forward` and the target of `back`
 */
export function reconcile(state: PathState, strategy: ConflictStrategy, pass: "forward" | "back"): Decision {
  const sourceChanged = hasChanged(state.source, state.known);
  const targetChanged = hasChanged(state.target, state.known);
  if (!sourceChanged || !targetChanged) return { winner: sourceChanged ? "source" : "target", conflict: false };
  if (strategy === "Manual") return { winner: "target", conflict: true };
  if (state.source === "absent") return { winner: "target", conflict: state.target !== "absent" };
  if (state.target === "absent") return { winner: "source", conflict: true };
  const own = pass === "back" ? swapped(strategy) : strategy;
  return { winner: resolveConflict(own, state.sourceTime, state.targetTime), conflict: true };
}

function hasChanged(state: SideState, known: boolean): boolean {
  return known ? state !== "unchanged" : state !== "absent";
}

function swapped(strategy: ConflictStrategy): ConflictStrategy {
  if (strategy === "SourceWins") return "TargetWins";
  return strategy === "TargetWins" ? "SourceWins" : strategy;
}
