import { resolveConflict, type Winner, type WriteTime } from "./conflict.ts";
import type { ConflictStrategy } from "./types.ts";

/**
 * What one side has of a path, against what both agreed on after their last run. `touched`: the content is the common one, only its
 * time is another.
 */
export type SideState = "absent" | "unchanged" | "touched" | "changed";

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
 * conflict: a deletion loses against an edit, whatever the strategy, since nobody can get back what it took. A time that changed alone
 * goes to the other side, but gives way to an edit or a deletion there, and of two such times the request's source has the one that
 * both get.
 *
 * @param pass whose `SourceWins` it is: the request's source is the source of the pass `forward` and the target of `back`
 */
export function reconcile(state: PathState, strategy: ConflictStrategy, pass: "forward" | "back"): Decision {
  const [source, target] = [changeOf(state.source, state.known), changeOf(state.target, state.known)];
  if (source < EDIT || target < EDIT) {
    const isOurs = source > target || source === TOUCH && target === TOUCH && pass === "forward";
    return { winner: isOurs ? "source" : "target", conflict: false };
  }
  if (strategy === "Manual") return { winner: "target", conflict: true };
  if (state.source === "absent") return { winner: "target", conflict: state.target !== "absent" };
  if (state.target === "absent") return { winner: "source", conflict: true };
  if (pass === "forward") {
    return { winner: resolveConflict(strategy, state.sourceTime, state.targetTime), conflict: true };
  }
  return { winner: other(resolveConflict(strategy, state.targetTime, state.sourceTime)), conflict: true };
}

const TOUCH = 1;
const EDIT = 2;

/** How much of a change a side's state is: what is more goes to the other side. */
function changeOf(state: SideState, known: boolean): number {
  if (!known) return state === "absent" ? 0 : EDIT;
  return state === "unchanged" ? 0 : state === "touched" ? TOUCH : EDIT;
}

/** The same decision as the other pass sees it. */
function other(winner: Winner): Winner {
  return winner === "source" ? "target" : winner === "target" ? "source" : winner;
}
