import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { parseArgs, type ParseArgsConfig } from "node:util";

/** What can be measured, in the order in which a round does it. */
export const SCENARIOS = ["first", "nothing", "changed", "verify", "large", "requests"] as const;
export type Scenario = typeof SCENARIOS[number];

export interface BenchOptions {
  /** A tree to measure on; otherwise one is generated. */
  directory: string | undefined;
  rounds: number;
  files: number;
  seed: number;
  only: ReadonlySet<Scenario>;
  largeBytes: number;
  /** Where the result is written as JSON. */
  json: string;
  /** Leave the copies where they are. */
  keep: boolean;
  /** Wait until the file system has forgotten the inodes that an earlier bench removed. */
  settle: boolean;
  /** Holds the generated trees and everything that is written. */
  temp: string;
}

export const USAGE = `deno task bench files [directory] [options]

Measures Syncline against rsync, rclone and cp -a on the same tree, in turn. Without a directory it generates one like
a real home directory. A directory that is named is only read; the changes are made to a copy.

  --rounds N         rounds; each tool once a round (3)
  --files N          files of the generated tree (57000, about 1.5 GB)
  --seed N           seed of the generated tree (1)
  --only LIST        of ${SCENARIOS.join(", ")} (all)
  --large-mib N      size of the large file in MiB (4096)
  --json FILE        where the result goes (bench-results.json)
  --temp DIRECTORY   where trees and copies are put (the system's temporary directory)
  --keep             leave the copies there
  --no-settle        do not wait after an earlier bench's removal

Exit status: 0 all bounds hold, 2 one does not, 1 the bench failed.`;

/** A command line that cannot be used; the message says why. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Reads the command line after `bench`. Returns undefined where help was asked for. */
export function readOptions(args: string[]): BenchOptions | undefined {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  const [suite, directory, ...more] = positionals;
  if (suite !== "files") throw new UsageError(`Cannot run the suite ${suite ?? "without a name"}: there is "files"`);
  if (more.length > 0) throw new UsageError(`Cannot measure more than one directory: ${more.join(" ")}`);
  return {
    directory: directory === undefined ? undefined : resolve(directory),
    rounds: whole("rounds", values.rounds, 1, 100),
    files: whole("files", values.files, 10, 10_000_000),
    seed: whole("seed", values.seed, 0, 0xffff_ffff),
    only: scenarios(values.only),
    largeBytes: whole("large-mib", values["large-mib"], 1, 1024 * 1024) * 1024 * 1024,
    json: resolve(values.json),
    keep: values.keep,
    settle: !values["no-settle"],
    temp: resolve(values.temp),
  };
}

function parse(args: string[]) {
  return readCommandLine(args, {
    rounds: { type: "string", default: "3" },
    files: { type: "string", default: "57000" },
    seed: { type: "string", default: "1" },
    only: { type: "string", default: SCENARIOS.join(",") },
    "large-mib": { type: "string", default: "4096" },
    json: { type: "string", default: "bench-results.json" },
    temp: { type: "string", default: tmpdir() },
    keep: { type: "boolean", default: false },
    "no-settle": { type: "boolean", default: false },
  });
}

/** A suite's command line, with `--help`. @throws UsageError */
export function readCommandLine<const T extends NonNullable<ParseArgsConfig["options"]>>(args: string[], options: T) {
  const help = { type: "boolean", short: "h", default: false } as const;
  try {
    return parseArgs({ args, allowPositionals: true, options: { ...options, help } });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

export function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw new UsageError(`Cannot use --${name} ${text}: it must be a whole number from ${least} to ${most}`);
  }
  return value;
}

function scenarios(list: string): Set<Scenario> {
  const chosen = new Set<Scenario>();
  for (const name of list.split(",")) {
    const scenario = SCENARIOS.find((known) => known === name.trim());
    if (scenario === undefined) throw new UsageError(`Cannot measure "${name}": there are ${SCENARIOS.join(", ")}`);
    chosen.add(scenario);
  }
  return chosen;
}
