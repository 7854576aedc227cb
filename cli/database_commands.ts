import { type Command, InvalidArgumentError, Option } from "commander";
import { type ConnectionSpec, parseConnectionString, type SyncDatabaseRequest } from "../engine/database/mod.ts";
import { EngineError } from "../engine/errors.ts";
import { type CommandEngine, startEngine } from "./engine.ts";
import { differenceLine, syncDatabaseLines } from "./database_lines.ts";
import { EXIT, UsageError } from "./exit_code.ts";
import { formatCount } from "./format.ts";
import type { CommonOptions, Run } from "./mod.ts";
import { wholeNumber } from "./sync_command.ts";

interface DatabaseOptions extends CommonOptions {
  delete: boolean;
  createMissingTables: boolean;
  filter: Record<string, string>;
  columns: Record<string, string>;
}

interface SyncOptions extends DatabaseOptions {
  dryRun: boolean;
  transaction: boolean;
  batchSize: number;
  maxDelete?: number;
}

/** Differences that are read at once. */
const PAGE = 10_000;

const STRINGS = `
A database is a connection string: postgres://user:password@host/db, mysql://…, sqlite:path, or Key=Value;… with Provider.
Whoever can list processes sees arguments: env:NAME takes the string from an environment variable, file:PATH from a file.`;

export function addDatabaseCommands(program: Command, run: Run): void {
  const database = program.command("database").description("Make the tables of a database agree with another's.");
  addSync(database, run);
  addDiff(database, run);
}

function addSync(database: Command, run: Run): void {
  withOptions(
    database.command("sync <source> <target> <entity...>")
      .description("Make tables of the target agree with those of the source; both may be of any engine.")
      .option("--dry-run", "say what would be done", false)
      .option("--no-transaction", "commit batch by batch, and go on after rows that are refused")
      .option("--batch-size <rows>", "rows a batch at the most", wholeNumber, 5000)
      .option("--max-delete <rows>", "refuse to delete more than this", wholeNumber),
  ).action((source: string, target: string, entityNames: string[], options: SyncOptions) =>
    run(options, async (output) => {
      if (options.batchSize < 1) throw new UsageError("--batch-size must be at least 1");
      await using engine = await startEngine(output, undefined);
      const request: SyncDatabaseRequest = {
        ...await toRequest(engine, source, target, entityNames, options),
        useTransactions: options.transaction,
        dryRun: options.dryRun,
        batchSize: options.batchSize,
        ...(options.maxDelete === undefined ? {} : { maxDelete: options.maxDelete }),
      };
      const result = await engine.databases.sync(request, engine.job);
      for (const error of result.errors) output.warn(error);
      output.result(result, syncDatabaseLines(result));
      return result.success ? EXIT.ok : EXIT.partial;
    })
  );
}

function addDiff(database: Command, run: Run): void {
  withOptions(
    database.command("diff <source> <target> <entity...>")
      .description("Show row by row what a synchronisation would change. Writes to neither database."),
  ).action((source: string, target: string, entityNames: string[], options: DatabaseOptions) =>
    run(options, async (output) => {
      await using engine = await startEngine(output, undefined);
      const request = await toRequest(engine, source, target, entityNames, options);
      let page = await engine.databases.diff(request, engine.job, PAGE);
      for (;;) {
        for await (const difference of page.differences()) {
          engine.job.signal.throwIfAborted();
          output.item("difference", difference, differenceLine(difference));
        }
        if (page.nextCursor === null) break;
        page = await engine.databases.nextDiffPage(request, { limit: PAGE, cursor: page.nextCursor });
      }
      output.result(page.summary, [formatCount(page.totalCount, "difference")]);
      return EXIT.ok;
    })
  );
}

function withOptions(command: Command): Command {
  return command
    .option("--no-delete", "keep rows that the source does not have")
    .option("--create-missing-tables", "make tables that the target lacks", false)
    .option("--filter <entity=condition>", "a condition in SQL, used on both sides; may be repeated", collect, {})
    .option("--columns <entity=names>", "only these columns, separated by commas; may be repeated", collect, {})
    .addOption(new Option("--json", "progress and result as lines of JSON"))
    .addHelpText("after", STRINGS);
}

function collect(text: string, all: Record<string, string>): Record<string, string> {
  const [, entity, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (entity === undefined) throw new InvalidArgumentError("Write the entity, an equals sign and the rest.");
  return { ...all, [entity]: value };
}

async function toRequest(
  engine: CommandEngine,
  source: string,
  target: string,
  entityNames: string[],
  { delete: deleteMissingInTarget, createMissingTables, filter, columns }: DatabaseOptions,
): Promise<SyncDatabaseRequest> {
  for (const name of [...Object.keys(filter), ...Object.keys(columns)]) {
    if (!entityNames.includes(name)) {
      throw new UsageError(`--filter or --columns names ${name}, which is no entity here`);
    }
  }
  if (new Set(entityNames).size < entityNames.length) throw new UsageError("An entity is named twice");
  const to = await connection(engine, "TARGET", target);
  return {
    source: await connection(engine, "SOURCE", source),
    target: createMissingTables && to.engine === "sqlite" ? { ...to, createFile: true } : to,
    entityNames,
    useTransactions: true,
    direction: "one-way",
    // Without a server there is no memory of earlier runs, and so no conflict.
    conflictStrategy: "SourceWins",
    deleteMissingInTarget,
    createMissingTables,
    dryRun: false,
    batchSize: 1000,
    filters: filter,
    columns: Object.fromEntries(Object.entries(columns).map(([entity, names]) => [entity, names.split(",")])),
  };
}

/** A connection string, or what `env:` and `file:` lead to. */
async function connection(engine: CommandEngine, name: string, argument: string): Promise<ConnectionSpec> {
  const text = await readString(name, argument);
  let spec: ConnectionSpec;
  try {
    spec = parseConnectionString(text, name);
  } catch (error) {
    throw error instanceof EngineError ? new UsageError(error.details) : error;
  }
  return spec.engine === "sqlite" ? { ...spec, database: await engine.path(name, spec.database) } : spec;
}

async function readString(name: string, argument: string): Promise<string> {
  const [, kind, place] = /^(env|file):(.+)$/s.exec(argument) ?? [];
  if (kind === undefined) return argument;
  if (kind === "env") {
    const value = Deno.env.get(place);
    if (value === undefined) throw new UsageError(`${name}: the environment variable ${place} is not set`);
    return value;
  }
  try {
    return await Deno.readTextFile(place);
  } catch (error) {
    throw new UsageError(`${name}: cannot read ${place}: ${error instanceof Error ? error.message : error}`);
  }
}
