import { type Command, InvalidArgumentError, Option } from "commander";
import { type ConflictStrategy, syncFiles, type SyncFilesResult } from "../engine/files/mod.ts";
import { startEngine } from "./engine.ts";
import { EXIT } from "./exit_code.ts";
import { formatBytes, formatCount, formatDuration } from "./format.ts";
import type { CommonOptions, Run } from "./mod.ts";

interface SyncOptions extends CommonOptions {
  delete: boolean;
  maxDelete?: number;
  exclude: string[];
  include: string[];
  verify: boolean;
  dryRun: boolean;
  trash?: string;
}

export function addSyncCommand(program: Command, run: Run): void {
  program.command("sync <source> <target>")
    .description("Make a directory agree with another one.")
    .option("--delete", "remove from the target what the source does not have", false)
    .option("--max-delete <number>", "refuse to remove more than this", wholeNumber)
    .option("--exclude <pattern...>", "patterns as in .gitignore", [])
    .option("--include <pattern...>", "only what matches one of these", [])
    .option("--trash <directory>", "keep there what is overwritten or removed")
    .option("--verify", "read back what was written and compare", false)
    .option("--dry-run", "say what would be done", false)
    .addOption(new Option("--json", "progress and result as lines of JSON"))
    .action((source: string, target: string, options: SyncOptions) =>
      run(options, async (output) => {
        await using engine = await startEngine(output, undefined);
        const result = await syncFiles(
          {
            sourceDirectory: await engine.path("SOURCE", source),
            targetDirectory: await engine.path("TARGET", target),
            deleteMissingInTarget: options.delete,
            verifyIntegrity: options.verify,
            excludePatterns: options.exclude,
            includePatterns: options.include,
            direction: "one-way",
            // Without a server there is no memory of earlier runs, and so no conflict.
            conflictStrategy: "SourceWins" satisfies ConflictStrategy,
            dryRun: options.dryRun,
            trashRetentionDays: 0,
            preservePermissions: true,
            ...(options.maxDelete === undefined ? {} : { maxDelete: options.maxDelete }),
            ...(options.trash === undefined ? {} : { trashDirectory: await engine.path("--trash", options.trash) }),
          },
          engine.files,
          engine.job,
        );
        for (const error of result.errors) output.warn(error);
        output.result(result, lines(result));
        return result.success ? EXIT.ok : EXIT.partial;
      })
    );
}

function lines(result: SyncFilesResult): string[] {
  const { statistics: { created, updated, renamed, deleted, bytesTransferred }, dryRun, plan = [] } = result;
  return [
    ...plan.map(({ action, path }) => `${action} ${path}`),
    `${dryRun ? "Planned: " : ""}${created} created, ${updated} updated, ${renamed} renamed, ${deleted} deleted; ` +
    `${formatBytes(bytesTransferred)} copied, ${formatCount(result.errors.length, "error")}, ` +
    `in ${formatDuration(result.executionTimeMs)}`,
  ];
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}
