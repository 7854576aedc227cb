/** `deno task bench reconcile`: two-way synchronisation against unison. See {@link USAGE}. */
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { Model, type Sides } from "./edits.ts";
import { run } from "../command.ts";
import { inTurn } from "../copy_bench.ts";
import { assertEqual } from "../equality.ts";
import { describeMachine } from "../machine.ts";
import { readCommandLine, whole } from "../options.ts";
import { print, progress } from "../print.ts";
import { MemoryPeak } from "../process_usage.ts";
import { Server } from "../server.ts";
import { median } from "../stats.ts";
import { table } from "../table.ts";
import { settle, Workspace } from "../workspace.ts";

export const USAGE = `deno task bench reconcile [options]

Measures two-way synchronisation through the API against unison -batch, in turn, of two pairs of equal trees in which each side
has been edited since the last run. Unison runs with -times, -owner and -group, so that it keeps what Syncline keeps.

  --rounds N        rounds; each once a round (5)
  --entries N       files and directories of each tree (200000)
  --edits N         edits of each side, in thousandths of the entries (10)
  --seed N          of the trees and the edits (1)
  --json FILE       where the result goes (none)
  --temp DIRECTORY  where everything is put (the system's temporary directory)
  --no-settle       do not wait after an earlier bench's removal

Exit status: 0 all bounds hold, 2 one does not, 1 the bench failed.`;

const BOUND = 1.0;
const TOOLS = ["syncline", "unison"] as const;
type ToolName = typeof TOOLS[number];

interface Options {
  rounds: number;
  entries: number;
  edits: number;
  seed: number;
  json: string | undefined;
  temp: string;
  settle: boolean;
}

interface SyncAnswer {
  success: boolean;
  changesApplied: number;
  conflictsEncountered: number;
  errors: string[];
}

/** Undefined where help was asked for, else whether all bounds hold. */
export async function benchReconcile(args: string[], signal: AbortSignal): Promise<boolean | undefined> {
  const options = readOptions(args);
  return options === undefined ? undefined : await bench(options, signal);
}

/** Undefined where help was asked for. */
export function readOptions(args: string[]): Options | undefined {
  const { values } = parse(args);
  if (values.help) return undefined;
  return {
    rounds: whole("rounds", values.rounds, 1, 100),
    entries: whole("entries", values.entries, 1_000, 10_000_000),
    edits: whole("edits", values.edits, 1, 100),
    seed: whole("seed", values.seed, 0, 0xffff_ffff),
    json: values.json === undefined ? undefined : resolve(values.json),
    temp: resolve(values.temp),
    settle: !values["no-settle"],
  };
}

function parse(args: string[]) {
  return readCommandLine(args, {
    rounds: { type: "string", default: "5" },
    entries: { type: "string", default: "200000" },
    edits: { type: "string", default: "10" },
    seed: { type: "string", default: "1" },
    json: { type: "string" },
    temp: { type: "string", default: tmpdir() },
    "no-settle": { type: "boolean", default: false },
  });
}

async function bench(options: Options, signal: AbortSignal): Promise<boolean> {
  const { rounds, entries, temp } = options;
  const machine = await describeMachine(temp, signal);
  const version = (await run(["unison", "-version"], { signal, capture: true })).stdout.trim();
  await using workspace = await Workspace.create(temp, { bytes: entries * 4 * 5_000, entries: entries * 5 }, false);
  if (options.settle) await settle(temp, signal);
  const model = new Model(options.seed);
  const pairs = await makePairs(workspace, model, options, signal);
  await using server = await Server.start({
    dataDir: await workspace.directory("data"),
    roots: [`${workspace.path}/syncline`],
    logFile: `${workspace.path}/server.log`,
    signal,
  });
  const memory = new MemoryPeak(server.pid);
  const archives = await workspace.directory("archives");
  const tools: Record<ToolName, (edits: number) => Promise<number>> = {
    syncline: (edits) => synchronise(server, pairs.syncline, edits),
    unison: () => unison(pairs.unison, archives, signal),
  };
  progress("first runs, without being counted");
  for (const name of TOOLS) await tools[name](0);
  const milliseconds: Record<ToolName, number[]> = { syncline: [], unison: [] };
  let edits = 0;
  for (let round = 0; round < rounds; round++) {
    edits = model.edit(Object.values(pairs), Math.round(entries * options.edits / 1_000));
    // What was just written is on the disk for both.
    await run(["sync"], { signal });
    for (const name of inTurn(TOOLS, round)) {
      const took = await tools[name](edits);
      progress(`round ${round + 1}: ${name} ${(took / 1_000).toFixed(2)} s`);
      milliseconds[name].push(took);
    }
  }
  progress("comparing all trees");
  for (const side of ["left", "right"] as const) {
    await Deno.rename(`${pairs.syncline[side]}/.syncline-trash`, `${workspace.path}/trash-${side}`);
  }
  // Unison leaves the times of directories as they come.
  for (const { left, right } of Object.values(pairs)) await assertEqual(left, right, signal, { directoryTimes: false });
  await run(["diff", "-rq", pairs.syncline.left, pairs.unison.left], { signal });
  const peakBytes = await memory.overall();
  await server.stop();

  const ratio = median(milliseconds.syncline) / median(milliseconds.unison);
  const holds = ratio <= BOUND;
  const result = { machine, version, ...options, edits, milliseconds, ratio, bound: BOUND, holds, peakBytes };
  if (options.json !== undefined) await Deno.writeTextFile(options.json, `${JSON.stringify(result, null, 2)}\n`);
  print(`${machine.cpu}, ${machine.cores} cores, ${machine.filesystem}; ${version}`);
  print(`two trees of ${model.entries} entries, ${edits} edits; server memory, peak: ${peakBytes >> 20} MiB`);
  const rows = TOOLS.map((name) => [
    name,
    seconds(median(milliseconds[name])),
    `${seconds(Math.min(...milliseconds[name]))}–${seconds(Math.max(...milliseconds[name]))}`,
    ...name === "unison" ? [ratio.toFixed(2), `≤ ${BOUND.toFixed(1)}`, holds ? "yes" : "NO"] : ["", "", ""],
  ]);
  for (const line of table([["", "median s", "range s", "ours/this", "bound", "holds"], ...rows], 1)) print(line);
  print(holds ? "All bounds hold." : "Not all bounds hold.");
  return holds;
}

/** Four equal trees. */
async function makePairs(
  workspace: Workspace,
  model: Model,
  { entries }: Options,
  signal: AbortSignal,
): Promise<Record<ToolName, Sides>> {
  progress(`making four trees of ${entries} entries`);
  const first = await workspace.directory("syncline/left");
  model.make(first, entries);
  const copy = async (name: string) => {
    const path = await workspace.directory(name);
    await run(["cp", "-a", `${first}/.`, path], { signal });
    return path;
  };
  return {
    syncline: { left: first, right: await copy("syncline/right") },
    unison: { left: await copy("unison/left"), right: await copy("unison/right") },
  };
}

/** Milliseconds from the request to the answer. Throws unless each edit was carried out and nothing else. */
async function synchronise(server: Server, { left, right }: Sides, edits: number): Promise<number> {
  const start = performance.now();
  const answer = await server.post<SyncAnswer>("/sync/files", {
    sourceDirectory: left,
    targetDirectory: right,
    direction: "two-way",
  });
  const took = performance.now() - start;
  const { success, changesApplied, conflictsEncountered, errors } = answer;
  if (!success || conflictsEncountered > 0 || changesApplied !== edits) {
    throw new Error(
      `Syncline applied ${changesApplied} of ${edits} edits, ${conflictsEncountered} conflicts: ${errors}`,
    );
  }
  return took;
}

async function unison({ left, right }: Sides, archives: string, signal: AbortSignal): Promise<number> {
  const argv = ["unison", left, right, "-batch", "-times", "-owner", "-group", "-ui", "text", "-terse", "-silent"];
  return (await run(argv, { signal, env: { UNISON: archives, HOME: archives } })).milliseconds;
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1_000).toFixed(2);
}
