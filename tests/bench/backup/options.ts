import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { readCommandLine, UsageError, whole } from "../options.ts";

/** What is backed up. */
export const DATASETS = ["tree", "big"] as const;
export type Dataset = typeof DATASETS[number];

/** What is measured by itself, with no other tool beside it. */
export const SCALES = ["small", "history"] as const;
export type Scale = typeof SCALES[number];

export interface BackupBenchOptions {
  /** A tree to measure on; otherwise one is generated. */
  directory: string | undefined;
  rounds: number;
  files: number;
  seed: number;
  only: ReadonlySet<Dataset | Scale>;
  bigBytes: number;
  smallFiles: number;
  /** Versions of the long history. */
  history: number;
  /** Changed versions after the first one, for the repository's growth. */
  versions: number;
  json: string;
  keep: boolean;
  settle: boolean;
  temp: string;
}

export const USAGE = `deno task bench backup [directory] [options]

Measures Syncline's backups against restic's and borg's, encrypted and compressed in all, in turn on the same data: first
backup, no change, 1% changed, restore into a fresh directory, check of all data, size of the repository, memory of
the server. On a tree (the directory that is named, or the one of the files bench), and on one big file.
Where --only names them, by itself: "small", a backup and a restore of very many small files; "history", how soon one of
many versions of 50,000 files is listed, browsed and compared.

  --rounds N           rounds; each tool with a fresh repository once a round (3)
  --files N            files of the generated tree (57000, about 1.5 GB)
  --seed N             seed of what is generated (1)
  --only LIST          of ${[...DATASETS, ...SCALES].join(", ")} (${DATASETS.join(",")})
  --big-file-size N    size of the big file in MiB (4096)
  --small-files N      files of "small" (1000000)
  --history N          versions of "history" (1000)
  --versions N         changed versions after which the size is compared (10)
  --json FILE          where the result goes (bench-backup-results.json)
  --temp DIRECTORY     where everything is put (the system's temporary directory)
  --keep               leave it there
  --no-settle          do not wait after an earlier bench's removal

Exit status: 0 all bounds hold, 2 one does not, 1 the bench failed.`;

/** Reads the command line after `bench`. Returns undefined where help was asked for. */
export function readOptions(args: string[]): BackupBenchOptions | undefined {
  const { values, positionals: [, directory, ...more] } = parse(args);
  if (values.help) return undefined;
  if (more.length > 0) throw new UsageError(`Cannot measure more than one directory: ${more.join(" ")}`);
  return {
    directory: directory === undefined ? undefined : resolve(directory),
    rounds: whole("rounds", values.rounds, 1, 100),
    files: whole("files", values.files, 10, 10_000_000),
    seed: whole("seed", values.seed, 0, 0xffff_ffff),
    only: datasets(values.only),
    bigBytes: whole("big-file-size", values["big-file-size"], 1, 1024 * 1024) * 1024 * 1024,
    smallFiles: whole("small-files", values["small-files"], 1, 10_000_000),
    history: whole("history", values.history, 3, 100_000),
    versions: whole("versions", values.versions, 1, 1000),
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
    only: { type: "string", default: DATASETS.join(",") },
    "big-file-size": { type: "string", default: "4096" },
    "small-files": { type: "string", default: "1000000" },
    history: { type: "string", default: "1000" },
    versions: { type: "string", default: "10" },
    json: { type: "string", default: "bench-backup-results.json" },
    temp: { type: "string", default: tmpdir() },
    keep: { type: "boolean", default: false },
    "no-settle": { type: "boolean", default: false },
  });
}

function datasets(list: string): Set<Dataset | Scale> {
  const known = [...DATASETS, ...SCALES];
  const chosen = new Set<Dataset | Scale>();
  for (const name of list.split(",")) {
    const dataset = known.find((one) => one === name.trim());
    if (dataset === undefined) throw new UsageError(`Cannot measure "${name}": there are ${known.join(", ")}`);
    chosen.add(dataset);
  }
  return chosen;
}
