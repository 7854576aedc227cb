/** `deno task bench backup [directory]`: backups against restic and borg. See options.ts. */
import { changeFiles } from "../change.ts";
import { list, type Listing } from "../listing.ts";
import { describeMachine } from "../machine.ts";
import { print, progress } from "../print.ts";
import { MemoryPeak } from "../process_usage.ts";
import { Server } from "../server.ts";
import { originalTree, workingCopy } from "../source.ts";
import { type Need, settle, Workspace } from "../workspace.ts";
import { BackupRounds, type Subject } from "./backup_rounds.ts";
import { BigFile } from "./big_file.ts";
import { type BackupBenchOptions, readOptions, USAGE } from "./options.ts";
import { findRepositoryPeers } from "./peers.ts";
import { measureHistory } from "./history.ts";
import { measureManyFiles } from "./many_files.ts";
import { type BackupMeasurements, type Figure, makeBackupReport } from "./report.ts";
import { serverOptions } from "./server_options.ts";
import { SynclineRepository } from "./syncline.ts";
import { formatBackupReport } from "./table.ts";

export { USAGE };

/** Runs the suite from the command line after `bench`. Undefined where help was asked for, else whether all bounds hold. */
export async function benchBackup(args: string[], signal: AbortSignal): Promise<boolean | undefined> {
  const options = readOptions(args);
  return options === undefined ? undefined : await bench(options, signal);
}

/** Measures, writes the result and prints it, then removes what it made. Returns whether all bounds hold. */
async function bench(options: BackupBenchOptions, signal: AbortSignal): Promise<boolean> {
  await Deno.mkdir(options.temp, { recursive: true });
  const machine = await describeMachine(options.temp, signal);
  const original = options.only.has("tree") ? await originalTree(options, signal) : undefined;
  const listing = original === undefined ? undefined : await list(original, signal);
  await using workspace = await Workspace.create(options.temp, need(options, listing), options.keep);
  const notes: string[] = [];
  const compared = await compare(original, workspace, options, signal, notes);
  const figures: Figure[] = [];
  if (options.only.has("small")) figures.push(...await measureManyFiles(workspace, options, signal));
  if (options.only.has("history")) figures.push(...await measureHistory(workspace, options, signal));
  if (!options.settle) {
    notes.push("not settled: what creates files may be slowed by what an earlier bench removed");
  }
  const report = makeBackupReport({
    machine,
    ...compared,
    tree: listing === undefined ? null : describe(options, listing),
    bigBytes: options.only.has("big") ? options.bigBytes : null,
    rounds: options.rounds,
    figures,
    notes,
  });
  await Deno.writeTextFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
  for (const line of formatBackupReport(report)) print(line);
  return report.holds;
}

/** Against the other tools. Adds to the notes. */
async function compare(
  original: string | undefined,
  workspace: Workspace,
  options: BackupBenchOptions,
  signal: AbortSignal,
  notes: string[],
): Promise<Pick<BackupMeasurements, "versions" | "missing" | "runs" | "sizes" | "serverPeakBytes">> {
  const subjects: Subject[] = [];
  if (original !== undefined) subjects.push(await treeSubject(original, workspace, options, signal));
  if (options.only.has("big")) subjects.push(await bigSubject(workspace, options, signal));
  if (subjects.length === 0) return { versions: {}, missing: [], runs: [], sizes: [], serverPeakBytes: null };
  const peers = await findRepositoryPeers({ home: await workspace.directory("home"), signal });
  if (peers.missing.length > 0) progress(`going on without ${peers.missing.join(", ")}`);
  if (options.settle) await settle(options.temp, signal);

  await using server = await Server.start(await serverOptions(workspace, "compared", signal));
  const serverMemory = new MemoryPeak(server.pid);
  const tools = [new SynclineRepository(server), ...peers.tools];
  const rounds = new BackupRounds({ tools, workspace, serverMemory, versions: options.versions, signal });
  for (let round = 0; round < options.rounds; round++) {
    for (const subject of subjects) await rounds.round(subject, round, round === options.rounds - 1);
  }
  const serverPeakBytes = await serverMemory.overall();
  const exitCode = await server.stop();
  if (exitCode !== 0) notes.push(`the server ended with ${exitCode} when it was asked to stop`);
  const { runs, sizes } = rounds;
  return { versions: peers.versions, missing: peers.missing, runs, sizes, serverPeakBytes };
}

async function treeSubject(
  original: string,
  workspace: Workspace,
  { seed }: BackupBenchOptions,
  signal: AbortSignal,
): Promise<Subject> {
  const source = await workspace.directory("trees/source");
  await workingCopy(original, source, signal);
  let changes = 0;
  return {
    dataset: "tree",
    source,
    async change() {
      const listing = await list(source, signal);
      await changeFiles(source, listing, Math.max(1, Math.round(listing.files / 100)), seed + ++changes);
    },
  };
}

async function bigSubject(
  workspace: Workspace,
  { bigBytes, seed }: BackupBenchOptions,
  signal: AbortSignal,
): Promise<Subject> {
  const source = await workspace.directory("trees/big");
  const file = new BigFile(`${source}/big.bin`, bigBytes, seed);
  progress(`making a file of ${bigBytes / 1024 ** 2} MiB`);
  await file.make(signal);
  return { dataset: "big", source, change: () => file.change() };
}

/** An upper bound of what the run has on the disk at one time, assuming that all peers are installed. */
function need(
  { only, rounds, bigBytes, versions, smallFiles, history }: BackupBenchOptions,
  listing: Listing | undefined,
): Need {
  const tools = 3;
  const tree = listing === undefined ? 0 : listing.bytes + listing.entries.length * 4096;
  const big = only.has("big") ? bigBytes : 0;
  // A repository and what is restored from it, of each tool, are emptied at a round's end.
  const small = only.has("small") ? smallFiles : 0;
  const versionsOfHistory = only.has("history") ? history : 0;
  const bytes = tree + big + tools * Math.max(2 * tree, (1.9 + versions / 100) * big) + 1e9 + small * 8_800 +
    versionsOfHistory * 1e6;
  const entries = (listing?.entries.length ?? 0) * (1 + tools * rounds) + 20_000 * rounds + 2 * small +
    10 * versionsOfHistory + 60_000;
  return { bytes, entries };
}

function describe({ directory, seed }: BackupBenchOptions, listing: Listing): Record<string, number | string | null> {
  const { files, directories, symlinks, hardLinks, bytes } = listing;
  return {
    directory: directory ?? null,
    seed: directory === undefined ? seed : null,
    files,
    directories,
    symlinks,
    hardLinks,
    bytes,
  };
}
