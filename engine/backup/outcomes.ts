/** What results of repository operations come to, in the figures that sessions and metrics sum up. */
import type { RunOutcome } from "../jobs/types.ts";
import type { CheckResult, CreateResult, PruneResult, RepairResult, RestoreResult } from "./types.ts";

export function createOutcome(result: CreateResult): RunOutcome {
  const { success, errors, changedFileCount, deletedFileCount, newBytes } = result;
  return outcome({ success, errors, changesApplied: changedFileCount + deletedFileCount, bytesTransferred: newBytes });
}

export function restoreOutcome(result: RestoreResult): RunOutcome {
  const { success, errors, filesRestored, deleted, bytesRestored, dryRun } = result;
  const bytesTransferred = dryRun ? 0 : bytesRestored;
  return outcome({ success, errors, changesApplied: filesRestored + deleted, bytesTransferred });
}

export function pruneOutcome({ deletedCount }: PruneResult): RunOutcome {
  return outcome({ success: true, changesApplied: deletedCount });
}

export function checkOutcome({ success, problems }: CheckResult): RunOutcome {
  return outcome({ success, errors: problems.map(({ object, message }) => `${object}: ${message}`) });
}

export function repairOutcome({ success, actions, lostFiles }: RepairResult): RunOutcome {
  return outcome({ success, changesApplied: actions.length, errors: lostFiles.map((file) => `${file}: is lost`) });
}

function outcome(figures: Partial<RunOutcome> & { success: boolean }): RunOutcome {
  return { changesApplied: 0, conflictsEncountered: 0, errors: [], bytesTransferred: 0, ...figures };
}
