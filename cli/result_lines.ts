/** Results of backup commands as lines for people. */
import type {
  CheckResult,
  CreateResult,
  DiffEntry,
  PruneResult,
  RepairResult,
  RestoreResult,
  VersionSummary,
} from "../engine/backup/mod.ts";
import { formatBytes, formatCount, formatDuration, formatTable } from "./format.ts";

export function createLines(result: CreateResult): string[] {
  const { versionId, fileCount, totalSize, changedFileCount, deletedFileCount, newBytes, storedBytes } = result;
  return [
    `Version ${versionId}${result.success ? "" : `, without ${formatCount(result.errorCount, "entry", "entries")}`}`,
    `${formatCount(fileCount, "file")} of ${formatBytes(totalSize)}; ${changedFileCount} changed, ` +
    `${deletedFileCount} removed; ${formatBytes(newBytes)} new, ${formatBytes(storedBytes)} stored, ` +
    `in ${formatDuration(result.executionTimeMs)}`,
  ];
}

export function versionLines(versions: VersionSummary[]): string[] {
  if (versions.length === 0) return ["There are no versions."];
  return formatTable([
    ["VERSION", "CREATED", "FILES", "SIZE", "SOURCE", "DESCRIPTION"],
    ...versions.map((version) => [
      version.versionId,
      version.createdAt,
      version.fileCount.toLocaleString("en-US"),
      formatBytes(version.totalSize),
      `${version.host}:${version.sourceDirectory}`,
      version.description,
    ]),
  ]);
}

export function restoreLines(result: RestoreResult): string[] {
  const { dryRun, filesRestored, bytesRestored, unchanged, skippedExisting, deleted, errors } = result;
  return [
    `${dryRun ? "Would restore" : "Restored"} ${formatCount(filesRestored, "file")} of ${
      formatBytes(bytesRestored)
    }; ` +
    `${unchanged} right already, ${skippedExisting} left, ${deleted} removed, ${errors.length} failed, ` +
    `in ${formatDuration(result.executionTimeMs)}`,
  ];
}

export function pruneLines(result: PruneResult): string[] {
  const { dryRun, deletedVersions, deletedCount, keptVersions, reclaimedBytes, unusedBytes } = result;
  return [
    ...deletedVersions.map((id) => `${dryRun ? "Would delete" : "Deleted"} ${id}`),
    `${formatCount(deletedCount, "version")} ${dryRun ? "would go" : "deleted"}, ${keptVersions} kept; ` +
    `${formatBytes(reclaimedBytes)} reclaimed, ${formatBytes(unusedBytes)} of waste left, ` +
    `in ${formatDuration(result.executionTimeMs)}`,
  ];
}

export function checkLines(result: CheckResult): string[] {
  const { problemCount, versions, packs, chunks, bytesRead, unusedBytes } = result;
  return [
    `${problemCount === 0 ? "No problems" : formatCount(problemCount, "problem")} in ` +
    `${formatCount(versions, "version")}, ${formatCount(packs, "pack")}, ${formatCount(chunks, "chunk")}; ` +
    `${formatBytes(bytesRead)} read, ${formatBytes(unusedBytes)} unused, in ${formatDuration(result.executionTimeMs)}`,
  ];
}

export function repairLines({ actions, lostFileCount, dryRun, executionTimeMs }: RepairResult): string[] {
  return [
    ...(actions.length === 0 ? ["Nothing to repair"] : actions),
    `${formatCount(lostFileCount, "file")} lost${dryRun ? "; nothing was changed" : ""}, ` +
    `in ${formatDuration(executionTimeMs)}`,
  ];
}

const SIGNS: Record<DiffEntry["change"], string> = {
  added: "+",
  removed: "-",
  modified: "M",
  metadata: "m",
  type: "T",
};

export function differenceLine({ change, path }: DiffEntry): string {
  return `${SIGNS[change]} ${path}`;
}
