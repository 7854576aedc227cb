import { type Command, InvalidArgumentError } from "commander";
import type { BackupOperations, PruneRequest } from "../engine/backup/mod.ts";
import type { StoreLocation } from "../engine/cloud/object_store.ts";
import { EngineError } from "../engine/errors.ts";
import { startEngine } from "./engine.ts";
import { EXIT, type ExitCode, UsageError } from "./exit_code.ts";
import { type CommonOptions, type Run, withCommonOptions } from "./mod.ts";
import {
  checkLines,
  createLines,
  differenceLine,
  pruneLines,
  repairLines,
  restoreLines,
  versionLines,
} from "./result_lines.ts";

interface CreateOptions extends CommonOptions {
  full: boolean;
  description: string;
  exclude: string[];
}

interface RestoreOptions extends CommonOptions {
  path: string[];
  overwrite: boolean;
  deleteExtra: boolean;
  dryRun: boolean;
  verify: boolean;
}

type PruneOptions = CommonOptions & Omit<PruneRequest, "repository">;

interface CheckOptions extends CommonOptions {
  readData: boolean;
  subset: number;
}

const RULES = ["retentionDays", "keepLast", "keepHourly", "keepDaily", "keepWeekly", "keepMonthly", "keepYearly"];

export function addBackupCommands(program: Command, run: Run): void {
  const backup = program.command("backup").description("Back up directories into a repository, and restore them.");
  addCreate(backup, run);
  addList(backup, run);
  addRestore(backup, run);
  addPrune(backup, run);
  addCheck(backup, run);
  addRepair(backup, run);
  addDiff(backup, run);
}

function addCreate(backup: Command, run: Run): void {
  withCommonOptions(
    backup.command("create <source> <repository>")
      .description("Make a version of a directory, and the repository where there is none.")
      .option("--full", "read every file again, not only what has changed", false)
      .option("--description <text>", "kept with the version", "")
      .option("--exclude <pattern...>", "patterns as in .gitignore", []),
  ).action((source: string, repository: string, options: CreateOptions) =>
    run(options, async (output) => {
      await using engine = await startEngine(output, options.passwordFile);
      const result = await engine.backups.create({
        sourceDirectory: await engine.path("SOURCE", source),
        repository: await engine.repository(repository),
        isFullBackup: options.full,
        description: options.description,
        excludePatterns: options.exclude,
      }, engine.job);
      for (const error of [...result.errors, ...result.skipped]) output.warn(error);
      output.result(result, createLines(result));
      return codeOf(result);
    })
  );
}

function addList(backup: Command, run: Run): void {
  withCommonOptions(backup.command("list <repository>").description("List the versions, newest first."))
    .action((repository: string, options: CommonOptions) =>
      run(options, async (output) => {
        await using engine = await startEngine(output, options.passwordFile);
        const { versions, damaged } = await engine.backups.versions(await engine.repository(repository));
        for (const id of damaged) output.warn(`Version ${id} is damaged: run a check`);
        output.result({ versions, totalCount: versions.length, damagedVersions: damaged }, versionLines(versions));
        return damaged.length === 0 ? EXIT.ok : EXIT.partial;
      })
    );
}

function addRestore(backup: Command, run: Run): void {
  withCommonOptions(
    backup.command("restore <repository> <version> <target>")
      .description("Restore a version: its id, `latest`, or a date: the newest version not after it.")
      .option("--path <path...>", "only these paths of the version", [])
      .option("--no-overwrite", "leave what is there and differs")
      .option("--delete-extra", "remove what the version does not have", false)
      .option("--dry-run", "say what would be done", false)
      .option("--verify", "read back every restored file and compare", false),
  ).action((repository: string, version: string, target: string, options: RestoreOptions) =>
    run(options, async (output) => {
      await using engine = await startEngine(output, options.passwordFile);
      const place = await engine.repository(repository);
      const result = await engine.backups.restore({
        repository: place,
        versionId: await findVersion(engine.backups, place, version),
        restorePath: await engine.path("TARGET", target),
        paths: options.path,
        overwrite: options.overwrite,
        deleteExtra: options.deleteExtra,
        dryRun: options.dryRun,
        verify: options.verify,
      }, engine.job);
      for (const error of result.errors) output.warn(error);
      output.result(result, restoreLines(result));
      return codeOf(result);
    })
  );
}

function addPrune(backup: Command, run: Run): void {
  const command = backup.command("prune <repository>")
    .description("Delete the versions that no rule keeps; the newest of each source always stays.");
  for (const rule of RULES) {
    const name = rule.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const what = rule === "retentionDays" ? "keep versions younger than so many days" : RULE_HELP(name);
    command.option(`--${name} <number>`, what, rule === "retentionDays" ? positive : whole);
  }
  withCommonOptions(command.option("--dry-run", "say what would be deleted", false))
    .action((repository: string, options: PruneOptions) =>
      run(options, async (output) => {
        const { json: _json, passwordFile, ...rules } = options;
        if (!RULES.some((rule) => rules[rule as keyof typeof rules] !== undefined)) {
          throw new UsageError("name at least one rule of what to keep, such as --keep-daily 7");
        }
        await using engine = await startEngine(output, passwordFile);
        const request = { ...rules, repository: await engine.repository(repository) };
        const result = await engine.backups.prune(request, engine.job);
        output.result(result, pruneLines(result));
        return EXIT.ok;
      })
    );
}

function RULE_HELP(name: string): string {
  const period = name.replace("keep-", "");
  return period === "last" ? "keep so many of the newest" : `keep the newest of so many ${PERIODS[period]}`;
}

const PERIODS: Record<string, string> = {
  hourly: "hours",
  daily: "days",
  weekly: "weeks",
  monthly: "months",
  yearly: "years",
};

function addCheck(backup: Command, run: Run): void {
  withCommonOptions(
    backup.command("check <repository>").description("Check that the repository is whole. Changes nothing.")
      .option("--read-data", "read all data, not only what describes it", false)
      .option("--subset <percent>", "with --read-data: read so much of it, chosen at random", percent, 100),
  ).action((repository: string, options: CheckOptions) =>
    run(options, async (output) => {
      await using engine = await startEngine(output, options.passwordFile);
      const { readData, subset } = options;
      const request = { repository: await engine.repository(repository), readData, subset };
      const result = await engine.backups.check(request, engine.job);
      for (const { object, message, files } of result.problems) {
        output.warn(`${object}: ${message}`);
        for (const file of files) output.warn(`  costs ${file}`);
      }
      output.result(result, checkLines(result));
      return codeOf(result);
    })
  );
}

function addRepair(backup: Command, run: Run): void {
  withCommonOptions(
    backup.command("repair <repository>")
      .description("Rebuild the index, and replace versions by ones without what is lost.")
      .option("--dry-run", "say what would be done", false),
  ).action((repository: string, options: CommonOptions & { dryRun: boolean }) =>
    run(options, async (output) => {
      await using engine = await startEngine(output, options.passwordFile);
      const request = { repository: await engine.repository(repository), dryRun: options.dryRun };
      const result = await engine.backups.repair(request, engine.job);
      for (const file of result.lostFiles) output.warn(`${file}: is lost`);
      output.result(result, repairLines(result));
      return result.lostFileCount > 0 ? EXIT.partial : codeOf(result);
    })
  );
}

function addDiff(backup: Command, run: Run): void {
  withCommonOptions(
    backup.command("diff <repository> <from> <to>")
      .description("Compare two versions, named as for restore: + added, - removed, M modified, m metadata, T type."),
  ).action((repository: string, from: string, to: string, options: CommonOptions) =>
    run(options, async (output) => {
      await using engine = await startEngine(output, options.passwordFile);
      const place = await engine.repository(repository);
      const [fromId, toId] = [
        await findVersion(engine.backups, place, from),
        await findVersion(engine.backups, place, to),
      ];
      let totalCount = 0;
      const { signal } = engine.job;
      for await (const entry of engine.backups.diff({ repository: place, versionId: fromId }, toId, signal)) {
        totalCount++;
        output.item("difference", entry, differenceLine(entry));
      }
      output.result({ from: fromId, to: toId, totalCount }, []);
      return EXIT.ok;
    })
  );
}

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

async function findVersion(backups: BackupOperations, repository: StoreLocation, named: string): Promise<string> {
  if (ID.test(named)) return named.toLowerCase();
  if (named === "latest") {
    const [newest] = (await backups.versions(repository)).versions;
    if (newest === undefined) throw new EngineError("not-found", "Version not found", "The repository has no versions");
    return newest.versionId;
  }
  const time = new Date(named);
  if (Number.isNaN(time.getTime())) throw new UsageError(`${named} is no version's id, no date and not "latest"`);
  return (await backups.versionAt(repository, time)).versionId;
}

function codeOf({ success }: { success: boolean }): ExitCode {
  return success ? EXIT.ok : EXIT.partial;
}

function whole(text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

function positive(text: string): number {
  if (!/^\d{1,7}(?:\.\d+)?$/.test(text)) throw new InvalidArgumentError("It must be a number of at least 0.");
  return Number(text);
}

function percent(text: string): number {
  const value = positive(text);
  if (value < 1 || value > 100) throw new InvalidArgumentError("It must be from 1 to 100.");
  return value;
}
