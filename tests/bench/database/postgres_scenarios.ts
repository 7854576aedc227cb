/** What is measured between two PostgreSQL servers. */
import { progress } from "../print.ts";
import { median } from "../stats.ts";
import type { DatabaseBenchOptions } from "./options.ts";
import type { PostgresDatabase } from "./postgres_database.ts";
import { type Figure, timeRatio } from "./report.ts";
import type { Synchroniser } from "./synchroniser.ts";
import { addRows, makeTable } from "./tables.ts";

export interface PostgresPair {
  source: PostgresDatabase;
  target: PostgresDatabase;
}

const EQUAL_BOUND = 1.3;
const CHANGED_BOUND = 1.6;
const COPY_BOUND = 1.5;
/** Rows a second by those of COPY alone: 60,000 by 270,000. */
const UPSERTS_BOUND = 60 / 270;

/** Equal tables, at first and again, and tables of which the source's has changed rows. */
export async function measureEqual(
  { source, target }: PostgresPair,
  sync: Synchroniser,
  { largeRows, changes, rounds, seed }: DatabaseBenchOptions,
): Promise<Figure[]> {
  const table = "large";
  progress(`making two tables of ${largeRows} rows`);
  await Promise.all([source, target].map(async (database) => {
    await makeTable(database, table);
    await addRows(database, table, [1, largeRows], seed);
  }));
  const scan = `select sum(hash_record_extended(t, 0)) from ${table} t`;
  const scans: number[] = [];
  const both: number[] = [];
  const again: number[] = [];
  const changed: number[] = [];
  const first: number[] = [];
  const peaks = { first: 0, again: 0, changed: 0 };
  await Promise.all([source.time(scan), target.time(scan)]);
  const step = Math.floor(largeRows / changes);
  for (let round = 0; round < rounds; round++) {
    progress(`equal, round ${round + 1}`);
    scans.push(Math.max(await source.time(scan), await target.time(scan)));
    both.push(Math.max(...await Promise.all([source.time(scan), target.time(scan)])));
    await sync.forget();
    first.push((await sync.sync(source.url, target.url, table, 0)).milliseconds);
    peaks.first = Math.max(peaks.first, sync.takePeak());
    again.push((await sync.sync(source.url, target.url, table, 0)).milliseconds);
    peaks.again = Math.max(peaks.again, sync.takePeak());
    await source.run(
      `update ${table} set note = 'changed in round ${round}' where id % ${step} = ${round % step} and id <= ${
        step * changes
      }`,
    );
    changed.push((await sync.sync(source.url, target.url, table, changes)).milliseconds);
    peaks.changed = Math.max(peaks.changed, sync.takePeak());
  }
  await Promise.all([source, target].map((database) => database.run(`drop table ${table}`)));
  const rows = largeRows.toLocaleString("en");
  const note = `both sides' scans at once take ${(median(both) / 1000).toFixed(2)} s on this machine`;
  const of = (name: string, ours: number[], bound: number, peakBytes: number): Figure => ({
    name: `PostgreSQL, ${rows} rows, ${name}`,
    ours,
    peer: "record hash scan",
    theirs: scans,
    ratio: timeRatio(ours, scans),
    bound: { value: bound, kind: "most" },
    peakBytes,
  });
  return [
    { ...of("equal, first run", first, EQUAL_BOUND, peaks.first), bound: null },
    { ...of("equal", again, EQUAL_BOUND, peaks.again), note },
    of(`${changes.toLocaleString("en")} changed`, changed, CHANGED_BOUND, peaks.changed),
  ];
}

/** Everything into an empty table. */
export async function measureCopy(
  { source, target }: PostgresPair,
  sync: Synchroniser,
  { rows, rounds, seed }: DatabaseBenchOptions,
): Promise<Figure[]> {
  const table = "copied";
  progress(`making a table of ${rows} rows`);
  await makeTable(source, table);
  await addRows(source, table, [1, rows], seed);
  await makeTable(target, table);
  const ours: number[] = [];
  const psql: number[] = [];
  for (let round = 0; round < rounds; round++) {
    progress(`copy, round ${round + 1}`);
    psql.push(await source.copyInto(target, table));
    await target.run(`truncate ${table}`);
    await sync.forget();
    ours.push((await sync.sync(source.url, target.url, table, rows)).milliseconds);
    await target.run(`truncate ${table}`);
  }
  await Promise.all([source, target].map((database) => database.run(`drop table ${table}`)));
  return [{
    name: `PostgreSQL, ${rows.toLocaleString("en")} rows into an empty table`,
    ours,
    peer: "psql COPY | psql COPY",
    theirs: psql,
    ratio: timeRatio(ours, psql),
    bound: { value: COPY_BOUND, kind: "most" },
    peakBytes: sync.takePeak(),
  }];
}

/** New and changed rows, half and half: what a run takes beyond a dry run of the same. */
export async function measureUpserts(
  { source, target }: PostgresPair,
  sync: Synchroniser,
  { rows, upserts, rounds, seed }: DatabaseBenchOptions,
): Promise<Figure[]> {
  const [table, copied] = ["upserted", "copied_alone"];
  progress(`making two tables of ${rows} rows`);
  await Promise.all([source, target].map(async (database) => {
    await makeTable(database, table);
    await addRows(database, table, [1, rows], seed);
  }));
  await sync.sync(source.url, target.url, table, 0);
  const fresh = upserts >> 1;
  const changed = upserts - fresh;
  const step = Math.floor(rows / changed);
  const ours: number[] = [];
  const copy: number[] = [];
  for (let round = 0; round < rounds; round++) {
    progress(`upserts, round ${round + 1}`);
    await Promise.all([source, target].map((database) => makeTable(database, copied)));
    await addRows(source, copied, [1, rows], seed + round);
    copy.push(await source.copyInto(target, copied));
    await Promise.all([source, target].map((database) => database.run(`drop table ${copied}`)));
    const from = rows + round * fresh;
    await addRows(source, table, [from + 1, from + fresh], seed);
    await source.run(
      `update ${table} set note = 'changed in round ${round}', account = account + 1 ` +
        `where id % ${step} = ${round % step} and id <= ${step * changed}`,
    );
    await source.run(`vacuum analyze ${table}`);
    const dry = await sync.sync(source.url, target.url, table, upserts, true);
    const real = await sync.sync(source.url, target.url, table, upserts);
    ours.push(real.milliseconds - dry.milliseconds);
    await target.run(`vacuum analyze ${table}`);
  }
  await Promise.all([source, target].map((database) => database.run(`drop table ${table}`)));
  const rate = upserts / median(ours);
  const perSecond = Math.round(rate * 1000).toLocaleString("en");
  return [{
    name: `PostgreSQL, ${upserts.toLocaleString("en")} upserts into ${rows.toLocaleString("en")} rows`,
    ours,
    peer: `psql COPY | psql COPY of ${rows.toLocaleString("en")} rows`,
    theirs: copy,
    ratio: rate / (rows / median(copy)),
    bound: { value: UPSERTS_BOUND, kind: "least" },
    peakBytes: sync.takePeak(),
    note: `${perSecond} rows/s beyond a dry run, COPY alone ` +
      `${Math.round(rows / median(copy) * 1000).toLocaleString("en")} rows/s; the ratio is that of the rates`,
  }];
}
