/** `deno task bench database`: what synchronising databases costs beside one scan or copy of the same tables. See options.ts. */
import { tmpdir } from "node:os";
import { startPostgres } from "../../harness/postgres.ts";
import { run } from "../command.ts";
import { describeMachine } from "../machine.ts";
import { print, progress } from "../print.ts";
import { MemoryPeak } from "../process_usage.ts";
import { Server } from "../server.ts";
import { Workspace } from "../workspace.ts";
import { measureMixed } from "./mixed_scenario.ts";
import { type DatabaseBenchOptions, readOptions, USAGE } from "./options.ts";
import { PostgresDatabase } from "./postgres_database.ts";
import { measureCopy, measureEqual, measureUpserts, type PostgresPair } from "./postgres_scenarios.ts";
import { type Figure, formatDatabaseReport, makeDatabaseReport } from "./report.ts";
import { measureSqlite } from "./sqlite_scenario.ts";
import { Synchroniser } from "./synchroniser.ts";

export { USAGE };

/** Rows, their index, what a copy of them writes beside, and the same again for the other side. */
const BYTES_A_ROW = 800;
/** Room for two checkpoints' worth of log and a few connections' sorts; the tables are read from the system's cache. */
const SETTINGS = { max_wal_size: "4GB", autovacuum: "off" };

/** Runs the suite from the command line after `bench`. Undefined where help was asked for, else whether all bounds hold. */
export async function benchDatabase(args: string[], signal: AbortSignal): Promise<boolean | undefined> {
  const options = readOptions(args);
  return options === undefined ? undefined : await bench(options, signal);
}

async function bench(options: DatabaseBenchOptions, signal: AbortSignal): Promise<boolean> {
  const { only, largeRows, rows, rounds, changes, upserts, seed } = options;
  const temp = tmpdir();
  const machine = await describeMachine(temp, signal);
  const need = { bytes: 1e9 + BYTES_A_ROW * Math.max(only.has("equal") ? largeRows : 0, 3 * rows), entries: 20_000 };
  await using workspace = await Workspace.create(temp, need, false);
  const root = await workspace.directory("root");
  const dataDir = await workspace.directory("data");
  await using server = await Server.start({ dataDir, roots: [root], logFile: `${workspace.path}/server.log`, signal });
  const sync = new Synchroniser(server, dataDir, new MemoryPeak(server.pid));

  const figures: Figure[] = [];
  const versions: Record<string, string> = {};
  const missing: string[] = [];
  if (only.has("equal") || only.has("mixed") || only.has("copy") || only.has("upserts")) {
    progress("starting two PostgreSQL servers");
    await using one = await startPostgres(SETTINGS);
    await using other = await startPostgres(SETTINGS);
    const pair: PostgresPair = {
      source: await PostgresDatabase.create(one, signal),
      target: await PostgresDatabase.create(other, signal),
    };
    versions.PostgreSQL = (await pair.source.run("show server_version"))[0][0] ?? "";
    const hasPsql = await isThere("psql");
    if (only.has("equal")) figures.push(...await measureEqual(pair, sync, options));
    if (only.has("mixed")) {
      if (!hasPsql || !await isThere("mariadbd")) missing.push("mixed, which needs psql and mariadbd");
      else {
        const measured = await measureMixed(pair.source, sync, options);
        figures.push(...measured.figures);
        versions.MariaDB = measured.version;
      }
    }
    for (const [name, measure] of [["copy", measureCopy], ["upserts", measureUpserts]] as const) {
      if (!only.has(name)) continue;
      if (hasPsql) figures.push(...await measure(pair, sync, options));
      else missing.push(`${name}, which needs psql (Debian's postgresql-client)`);
    }
  }
  if (only.has("sqlite")) figures.push(...await measureSqlite(root, sync, options));

  const report = makeDatabaseReport({
    machine,
    versions,
    options: { rounds, "large rows": largeRows, rows, changes, upserts, seed },
    figures,
    missing,
  });
  await Deno.writeTextFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
  for (const line of formatDatabaseReport(report)) print(line);
  return report.holds;
}

async function isThere(program: string): Promise<boolean> {
  const path = `${Deno.env.get("PATH")}:/usr/sbin`;
  return (await run(["bash", "-c", 'command -v "$0"', program], { accept: [0, 1], env: { PATH: path } })).code === 0;
}
