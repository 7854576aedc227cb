import { DatabaseSync } from "node:sqlite";
import { progress } from "../print.ts";
import type { DatabaseBenchOptions } from "./options.ts";
import { type Figure, timeRatio } from "./report.ts";
import type { Synchroniser } from "./synchroniser.ts";
import { makeEmptySqliteFile, makeSqliteFile } from "./tables.ts";

/** Two SQLite files against what SQLite itself does with one attached to the other. */
export async function measureSqlite(
  directory: string,
  sync: Synchroniser,
  { rows, changes, rounds, seed }: DatabaseBenchOptions,
): Promise<Figure[]> {
  const table = "kept";
  progress(`making a SQLite file of ${rows} rows`);
  const [source, target] = [`${directory}/source.db`, `${directory}/target.db`];
  makeSqliteFile(source, table, rows, seed);
  const run = async (name: string, ours: number[], count: number) => {
    ours.push((await sync.sync(`sqlite:${source}`, `sqlite:${target}`, table, count)).milliseconds);
    peaks[name] = Math.max(peaks[name] ?? 0, sync.takePeak());
  };
  const peaks: Record<string, number> = {};
  const [copied, again, changed, attachedCopy, attachedJoin]: number[][] = [[], [], [], [], []];
  const step = Math.floor(rows / changes);
  for (let round = 0; round < rounds; round++) {
    progress(`sqlite, round ${round + 1}`);
    await sync.forget();
    await fresh(target, table);
    attachedCopy.push(timeStatement(target, source, `INSERT INTO ${table} SELECT * FROM other.${table}`));
    await fresh(target, table);
    await run("copied", copied, rows);
    const same = ["account", "amount", "status", "name", "note", "made", "active"].map((name) =>
      `a.${name} IS b.${name}`
    );
    const join = `SELECT count(*) FROM ${table} a JOIN other.${table} b USING (id) WHERE ${same.join(" AND ")}`;
    attachedJoin.push(timeStatement(target, source, join));
    await run("again", again, 0);
    {
      using database = new DatabaseSync(source);
      database.exec(
        `UPDATE ${table} SET note = 'changed in round ${round}' WHERE id % ${step} = ${round % step} AND id <= ${
          step * changes
        }`,
      );
    }
    await run("changed", changed, changes);
  }
  const of = (name: string, ours: number[], peer: string, theirs: number[], peakBytes: number): Figure => ({
    name: `SQLite, ${rows.toLocaleString("en")} rows, ${name}`,
    ours,
    peer,
    theirs,
    ratio: timeRatio(ours, theirs),
    bound: null,
    peakBytes,
  });
  return [
    of("into an empty table", copied, "INSERT … SELECT over ATTACH", attachedCopy, peaks.copied),
    of("equal", again, "join over ATTACH", attachedJoin, peaks.again),
    of(`${changes.toLocaleString("en")} changed`, changed, "join over ATTACH", attachedJoin, peaks.changed),
  ];
}

async function fresh(path: string, table: string): Promise<void> {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) await Deno.remove(file).catch(ignoreMissing);
  makeEmptySqliteFile(path, table);
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

function timeStatement(path: string, other: string, sql: string): number {
  using database = new DatabaseSync(path);
  database.exec(`ATTACH '${other.replaceAll("'", "''")}' AS other`);
  const start = performance.now();
  database.prepare(sql).all();
  return performance.now() - start;
}
