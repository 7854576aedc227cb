import { isCancellation } from "../errors.ts";
import type { RunFigures } from "../state/session_store.ts";
import { describeError } from "./describe_error.ts";
import type { RunOutcome, Session } from "./types.ts";

/** How a run ends, as its session will say and as sums will count it. */
export interface RunEnd {
  session: Partial<Session>;
  /** The operation's answer as JSON, null without one. */
  result: string | null;
  figures: Omit<RunFigures, "durationMs">;
}

function without(errors: string[]): RunEnd["figures"] {
  return { success: false, changesApplied: 0, conflictsEncountered: 0, bytesTransferred: 0, errors };
}

/** @throws where the answer is no JSON value: a defect of the operation */
export function endOfSuccess(answer: unknown, outcome: RunOutcome): RunEnd {
  const count = outcome.errors.length;
  const message = outcome.success ? "Completed" : `Completed with ${count} ${count === 1 ? "error" : "errors"}`;
  return {
    session: { status: "completed", progressPercentage: 100, message, result: answer ?? null },
    result: answer === undefined || answer === null ? null : JSON.stringify(answer),
    figures: outcome,
  };
}

/** The end of a run that was stopped: by a client, by the server's stop, or by the server's death. */
export function endOfStop(status: "cancelled" | "interrupted", run: Session, why: string): RunEnd {
  const line = `${run.sourceIdentifier} → ${run.targetIdentifier}: ${why}`;
  return { session: { status, message: why }, result: null, figures: without([line]) };
}

/** The end of a run whose work threw. `stopsAs` is what a cancellation makes of it. */
export function endOfError(error: unknown, stopsAs: "cancelled" | "interrupted", run: Session): RunEnd {
  if (isCancellation(error)) {
    return endOfStop(stopsAs, run, stopsAs === "cancelled" ? "Cancelled" : "Interrupted: the server was stopped");
  }
  const described = describeError(error);
  const { message, details } = described;
  return {
    session: { status: "failed", message, error: described },
    result: null,
    figures: without([`${run.sourceIdentifier} → ${run.targetIdentifier}: ${message}: ${details}`]),
  };
}
