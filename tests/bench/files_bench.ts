/** `deno task bench files [directory]`: file synchronisation against rsync, rclone and cp. See options.ts. */
import { CopyBench, inTurn } from "./copy_bench.ts";
import { HealthProbe } from "./health.ts";
import { list, type Listing } from "./listing.ts";
import { describeMachine } from "./machine.ts";
import { type BenchOptions, readOptions, USAGE } from "./options.ts";
import { findPeers } from "./peers.ts";
import { print, progress } from "./print.ts";
import { MemoryPeak } from "./process_usage.ts";
import { makeReport, type Measurements, type Report } from "./report.ts";
import { BareHono, requestRate } from "./requests.ts";
import { Server } from "./server.ts";
import { makeLargeFile, originalTree, workingCopy } from "./source.ts";
import { Syncline } from "./syncline.ts";
import { formatReport } from "./table.ts";
import { type Need, settle, Workspace } from "./workspace.ts";

const HEALTH_REQUESTS_PER_SECOND = 100;

export { USAGE };

/** Runs the suite from the command line after `bench`. Undefined where help was asked for, else whether all bounds hold. */
export async function benchFiles(args: string[], signal: AbortSignal): Promise<boolean | undefined> {
  const options = readOptions(args);
  return options === undefined ? undefined : await bench(options, signal);
}

/** Measures, writes the result and prints it, then removes what it made. Returns whether all bounds hold. */
async function bench(options: BenchOptions, signal: AbortSignal): Promise<boolean> {
  const { only, rounds } = options;
  await Deno.mkdir(options.temp, { recursive: true });
  const machine = await describeMachine(options.temp, signal);
  const peers = await findPeers(signal);
  if (peers.missing.length > 0) progress(`going on without ${peers.missing.join(", ")}`);
  const notes: string[] = [];
  if (!options.settle) notes.push("not settled: copies may be slowed by what an earlier bench removed");

  const original = await originalTree(options, signal);
  const listing = await list(original, signal);
  await using workspace = await Workspace.create(options.temp, need(options, listing), options.keep);
  const source = await workspace.directory("trees/source");
  const largeSource = await workspace.directory("trees/large");
  if (only.has("large")) await makeLargeFile(`${largeSource}/large.bin`, options.largeBytes, signal);
  await workingCopy(original, source, signal);
  if (options.settle) await settle(options.temp, signal);

  await using server = await Server.start({
    dataDir: await workspace.directory("data"),
    roots: [`${workspace.path}/trees`],
    logFile: `${workspace.path}/server.log`,
    signal,
  });
  await using probe = await HealthProbe.start({
    ...server.health,
    requestsPerSecond: HEALTH_REQUESTS_PER_SECOND,
  });
  await using bare = await BareHono.start();
  const serverMemory = new MemoryPeak(server.pid);
  const copies = new CopyBench({
    tools: [new Syncline(server), ...peers.tools, new Syncline(server, probe)],
    only,
    source,
    largeSource,
    newTarget: (name) => workspace.directory(`trees/${name}`),
    serverMemory,
    seed: options.seed,
    signal,
  });
  const requests: Measurements["requests"] = { syncline: [], bareHono: [] };
  for (let round = 0; round < rounds; round++) {
    await copies.round(round);
    if (!only.has("requests")) continue;
    for (const [side, endpoint] of inTurn([["syncline", server.health], ["bareHono", bare.endpoint]] as const, round)) {
      signal.throwIfAborted();
      const rate = await requestRate(endpoint);
      progress(`round ${round + 1}, requests: ${side} ${rate.perSecond.toFixed(0)}/s`);
      requests[side].push(rate);
    }
  }
  const serverPeakBytes = await serverMemory.overall();
  const exitCode = await server.stop();
  if (exitCode !== 0) notes.push(`the server ended with ${exitCode} when it was asked to stop`);
  const report = makeReport({
    machine,
    versions: peers.versions,
    missing: peers.missing,
    tree: describeTree(options, listing),
    largeBytes: options.largeBytes,
    changedFiles: copies.changedFiles,
    rounds,
    runs: copies.runs,
    requests,
    serverPeakBytes,
    notes,
  });
  await Deno.writeTextFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
  for (const line of formatReport(report)) print(line);
  return report.holds;
}

/** An upper bound of what the run writes, assuming that all peers are installed. */
function need({ only, rounds, largeBytes }: BenchOptions, { entries, bytes }: Listing): Need {
  const usesTree = only.has("first") || only.has("nothing") || only.has("changed");
  const copies = 1 + rounds * ((usesTree ? 4 : 0) + (only.has("first") ? 1 : 0) + (only.has("verify") ? 3 : 0));
  const block = 4096;
  const largeCopies = only.has("large") ? 2 : 0;
  return {
    bytes: copies * (bytes + entries.length * block) + largeCopies * largeBytes + 1e9,
    entries: copies * entries.length + 1000,
  };
}

function describeTree(options: BenchOptions, listing: Listing): Report["tree"] {
  const { files, directories, symlinks, hardLinks, bytes } = listing;
  const named = options.directory !== undefined;
  return {
    directory: named ? options.directory ?? null : null,
    seed: named ? null : options.seed,
    files,
    directories,
    symlinks,
    hardLinks,
    bytes,
  };
}
