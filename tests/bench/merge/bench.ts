/** `deno task bench merge`: three-way merges against git, of the same files. See {@link USAGE}. */
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { run } from "../command.ts";
import { readCommandLine, UsageError, whole } from "../options.ts";
import { print, progress } from "../print.ts";
import { Random } from "../random.ts";
import { Server } from "../server.ts";
import { median } from "../stats.ts";
import { table } from "../table.ts";
import { Workspace } from "../workspace.ts";

export const USAGE = `deno task bench merge [options]

Measures merges through the API against git merge-file, in turn, of files with edits on both sides.

  --rounds N        rounds; each once a round (9)
  --lines N         lines of each file (100000)
  --edits N         edits of each side (1000)
  --seed N          of the files' content (1)
  --temp DIRECTORY  where everything is put (the system's temporary directory)

Exit status: 0 all bounds hold, 2 one does not, 1 the bench failed.`;

const BOUND = 2.0;
const NAMES = ["base", "source", "target"] as const;

interface Options {
  rounds: number;
  lines: number;
  edits: number;
  seed: number;
  temp: string;
}

/** Undefined where help was asked for, else whether all bounds hold. */
export async function benchMerge(args: string[], signal: AbortSignal): Promise<boolean | undefined> {
  const options = readOptions(args);
  return options === undefined ? undefined : await bench(options, signal);
}

function readOptions(args: string[]): Options | undefined {
  const { values } = parse(args);
  if (values.help) return undefined;
  const options = {
    rounds: whole("rounds", values.rounds, 1, 1_000_000_000),
    lines: whole("lines", values.lines, 1, 1_000_000_000),
    edits: whole("edits", values.edits, 1, 1_000_000_000),
    seed: whole("seed", values.seed, 1, 1_000_000_000),
  };
  if (options.edits * 10 > options.lines) throw new UsageError("--edits must be at most a tenth of --lines");
  return { ...options, temp: resolve(values.temp) };
}

function parse(args: string[]) {
  return readCommandLine(args, {
    rounds: { type: "string", default: "9" },
    lines: { type: "string", default: "100000" },
    edits: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    temp: { type: "string", default: tmpdir() },
  });
}

async function bench({ rounds, lines, edits, seed, temp }: Options, signal: AbortSignal): Promise<boolean> {
  await using workspace = await Workspace.create(temp, { bytes: lines * 1000, entries: 100 }, false);
  const root = await workspace.directory("root");
  const versions = makeVersions(lines, edits, new Random(seed));
  for (const name of NAMES) await Deno.writeTextFile(`${root}/${name}`, versions[name]);
  await using server = await Server.start({
    dataDir: await workspace.directory("data"),
    roots: [root],
    logFile: `${workspace.path}/server.log`,
    signal,
  });
  const body = {
    baseFile: `${root}/base`,
    sourceFile: `${root}/source`,
    targetFile: `${root}/target`,
    outputFile: `${root}/ours`,
  };
  const merge = async () => {
    const start = performance.now();
    const answer = await server.post<{ success: boolean; conflictCount: number }>("/merge/files", body);
    const took = performance.now() - start;
    if (!answer.success || answer.conflictCount > 0) throw new Error("The merge did not come out clean");
    return took;
  };
  const git = () => run(["git", "merge-file", "-p", "source", "base", "target"], { signal, cwd: root, capture: true });

  const [ours, theirs]: [number[], number[]] = [[], []];
  progress("first, each once without being counted");
  await merge();
  await Deno.writeTextFile(`${root}/git`, (await git()).stdout);
  await run(["cmp", `${root}/ours`, `${root}/git`], { signal });
  for (let round = 0; round < rounds; round++) {
    progress(`round ${round + 1}`);
    ours.push(await merge());
    theirs.push((await git()).milliseconds);
  }
  return report(ours, theirs);
}

/** Edits of the two sides, evenly spread, with lines between them: three in five are changed, one added, one removed. */
function makeVersions(count: number, edits: number, random: Random): Record<typeof NAMES[number], string> {
  const word = () =>
    Array.from({ length: 2 + random.int(9) }, () => "abcdefghijklmnopqrstuvwxyz"[random.int(26)]).join("");
  const line = () => Array.from({ length: 1 + random.int(12) }, word).join(" ");
  const base = Array.from({ length: count }, () => random.chance(0.1) ? random.pick(["", "}", "  return;"]) : line());
  const step = Math.floor(count / edits);
  const edited = (offset: number) => {
    const lines: (string | undefined)[] = [...base];
    for (let edit = 0; edit < edits; edit++) {
      const at = edit * step + offset;
      const kind = random.int(5);
      if (kind < 3) lines[at] = line();
      else lines[at] = kind === 3 ? `${line()}\n${base[at]}` : undefined;
    }
    return lines.filter((line) => line !== undefined).join("\n") + "\n";
  };
  const [early, late] = [Math.floor(step / 4), Math.floor(step * 3 / 4)];
  return { base: base.join("\n") + "\n", source: edited(early), target: edited(late) };
}

function report(ours: number[], git: number[]): boolean {
  const ratio = median(ours) / median(git);
  const holds = ratio <= BOUND;
  const row = [median(ours).toFixed(0), median(git).toFixed(0), ratio.toFixed(2), `≤ ${BOUND}`, holds ? "yes" : "NO"];
  for (const line of table([["", "ours ms", "git ms", "ratio", "bound", "holds"], ["merge", ...row]], 1)) print(line);
  print(holds ? "All bounds hold." : "Not all bounds hold.");
  return holds;
}
