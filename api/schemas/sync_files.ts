/** `POST /sync/files`. */
import { z } from "@hono/zod-openapi";
import { localPath, text, timestamp } from "./common.ts";

const patterns = z.array(text(1, 4096)).max(10_000);

export const SyncFilesBody = z.strictObject({
  sourceDirectory: localPath.openapi({ example: "/path/to/source" }),
  targetDirectory: localPath.openapi({ example: "/path/to/target" }),
  deleteMissingInTarget: z.boolean().default(false).openapi({
    description: "Remove from the target what the source does not have. Never removes what a pattern excludes.",
  }),
  verifyIntegrity: z.boolean().default(false).openapi({
    example: true,
    description: "Read back what was written and compare it, byte for byte, with what was read from the source.",
  }),
  excludePatterns: patterns.default([]).openapi({
    example: ["*.tmp", "*.bak"],
    description: "Patterns as in .gitignore.",
  }),
  includePatterns: patterns.default([]).openapi({
    description: "Empty: everything. Else only what matches one of these, and what lies below it.",
  }),
  direction: z.enum(["one-way", "two-way"]).default("one-way").openapi({
    description:
      "`two-way`: what changed on either side since the last run goes to the other, deletions too; the first run deletes " +
      "nothing, and takes files of one size and time for equal. Later runs see edits that keep both, and know files that " +
      "were only touched. What is overwritten or deleted is kept in `.syncline-trash` of its side.",
  }),
  conflictStrategy: z.enum(["SourceWins", "TargetWins", "LastWriteWins", "KeepBoth", "Merge", "Manual"])
    .default("SourceWins").openapi({
      description:
        "What becomes of a path that both sides changed since the last run; one-way: that someone changed in the target. " +
        "`Merge` brings edits of both sides together in text files of up to 4 MiB, from the version that both had after the " +
        "last run with `Merge`, whose text the server keeps; JSON, YAML, XML and INI by what they say. One-way, the merge " +
        "goes to the target, and what only the target changed stays there. Where both changed the same lines, no common " +
        "version is known, or it is no such file, neither loses: the source's version has the name, and the target's is " +
        "beside it, as with `KeepBoth`.",
    }),
  dryRun: z.boolean().default(false).openapi({ description: "Answer with the plan and change nothing." }),
  maxDelete: z.int().min(0).optional().openapi({
    description: "Refuse the run (409) before its first change where it would delete more entries than this.",
  }),
  trashDirectory: localPath.optional().openapi({
    description:
      "Keep here what is overwritten or deleted, in a folder named for the run's start. In the target it must be " +
      "new, empty or a trash already.",
  }),
  trashRetentionDays: z.int().min(0).max(36_500).default(30).openapi({
    description: "With `two-way`: how long `.syncline-trash` keeps things.",
  }),
  preservePermissions: z.boolean().default(true),
  bandwidthLimit: z.int().min(1).optional().openapi({ description: "Bytes a second over all workers." }),
  sessionId: text(1, 128).optional().openapi({ description: "A session started by hand that this run joins." }),
}).openapi("SyncFilesRequest");

const planEntry = z.object({
  action: z.enum(["create", "update", "merge", "rename", "delete", "metadata"]),
  type: z.enum(["file", "directory", "symlink", "hardlink", "special"]),
  path: z.string(),
  from: z.string().optional(),
  size: z.int(),
  side: z.enum(["source", "target"]).optional().openapi({ description: "With `two-way`: what is changed." }),
});

const conflict = z.object({
  path: z.string(),
  kind: z.enum(["modified", "added", "deleted"]),
  resolution: z.enum(["source", "target", "both", "merged", "unresolved"]).openapi({
    description:
      "Whose version stays; `both`: the target's has another name; `merged`: what both changed came together.",
  }),
  keptAs: z.string().optional().openapi({ description: "With `both`: the name that the target's version has now." }),
  reason: z.enum([
    "overlapping-edits",
    "no-common-version",
    "binary",
    "too-large",
    "not-mergeable",
    "changed-meanwhile",
  ]).optional().openapi({ description: "With `Merge`: why the versions were not merged." }),
});

const count = z.int().min(0);

export const SyncFilesAnswer = z.object({
  success: z.boolean().openapi({ example: true }),
  changesApplied: count.openapi({ example: 42 }),
  conflictsEncountered: count.openapi({ example: 0 }),
  errors: z.array(z.string()).openapi({ example: [], description: '"relative/path: what went wrong"' }),
  syncedAt: timestamp,
  executionTimeMs: count.openapi({ example: 5432 }),
  sessionId: z.string(),
  dryRun: z.boolean(),
  conflicts: z.array(conflict),
  plan: z.array(planEntry).optional(),
  planTruncated: z.boolean().optional(),
  statistics: z.object({
    entriesCompared: count,
    created: count,
    updated: count,
    renamed: count,
    deleted: count,
    bytesTransferred: count,
  }),
}).openapi("SyncFilesResponse");
