import { startMariaDb } from "../../harness/mariadb.ts";
import { progress } from "../print.ts";
import { median } from "../stats.ts";
import type { DatabaseBenchOptions } from "./options.ts";
import type { PostgresDatabase } from "./postgres_database.ts";
import { type Figure, timeRatio } from "./report.ts";
import type { Synchroniser } from "./synchroniser.ts";
import { addRows, loadMaria, makeTable } from "./tables.ts";

const BOUND = 1.5;
const LIST = "id, account, amount, status, name, note, made, active";

/** Equal tables of PostgreSQL and MariaDB. */
export async function measureMixed(
  source: PostgresDatabase,
  sync: Synchroniser,
  { rows, rounds, seed }: DatabaseBenchOptions,
): Promise<{ figures: Figure[]; version: string }> {
  const table = "mixed";
  progress(`making two tables of ${rows} rows, one in MariaDB`);
  await makeTable(source, table);
  await addRows(source, table, [1, rows], seed);
  await using maria = await startMariaDb(["--innodb-buffer-pool-size=1G"]);
  await using target = await maria.database();
  await loadMaria(source, maria, target, table);
  const [version] = await target.run("SELECT VERSION() AS version");
  const url = `mariadb://${maria.user}:${maria.password}@127.0.0.1:${maria.port}/${target.name}`;
  const timeTarget = async () => {
    const start = performance.now();
    const hash = `CAST(CONV(LEFT(MD5(CONCAT_WS('|', ${LIST})), 16), 16, 10) AS UNSIGNED)`;
    await target.run(`SELECT COUNT(*), BIT_XOR(${hash}) FROM ${table}`);
    return performance.now() - start;
  };
  const timeSource = () =>
    source.time(`select count(*), sum(('x' || left(md5(concat_ws('|', ${LIST})), 16))::bit(64)::bigint) from ${table}`);
  const [scans, first, again]: number[][] = [[], [], []];
  const peaks = { first: 0, again: 0 };
  const sides = { source: [] as number[], target: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    progress(`mixed, round ${round + 1}`);
    sides.source.push(await timeSource());
    sides.target.push(await timeTarget());
    scans.push(Math.max(sides.source[round], sides.target[round]));
    await sync.forget();
    first.push((await sync.sync(source.url, url, table, 0)).milliseconds);
    peaks.first = Math.max(peaks.first, sync.takePeak());
    again.push((await sync.sync(source.url, url, table, 0)).milliseconds);
    peaks.again = Math.max(peaks.again, sync.takePeak());
  }
  await source.run(`drop table ${table}`);
  const of = (name: string, ours: number[], peakBytes: number): Figure => ({
    name: `PostgreSQL to MariaDB, ${rows.toLocaleString("en")} rows, ${name}`,
    ours,
    peer: "MD5 scan",
    theirs: scans,
    ratio: timeRatio(ours, scans),
    bound: { value: BOUND, kind: "most" },
    peakBytes,
  });
  const seconds = (values: number[]) => (median(values) / 1000).toFixed(2);
  const note = `the scan of PostgreSQL alone takes ${seconds(sides.source)} s, MariaDB's ${seconds(sides.target)} s`;
  const figures = [
    { ...of("equal, first run", first, peaks.first), bound: null },
    { ...of("equal", again, peaks.again), note },
  ];
  return { figures, version: String(version.version) };
}
