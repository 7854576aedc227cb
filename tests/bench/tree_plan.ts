import { Random } from "./random.ts";
import { directoryName, fileName, TOP_DIRECTORIES } from "./tree_names.ts";

/** Change it whenever the same options would make another tree: cached trees carry it in their name. */
export const TREE_VERSION = 1;

export interface TreeOptions {
  seed: number;
  /** Regular files; links come on top. */
  files: number;
}

interface Entry {
  /** Relative, with `/`. */
  path: string;
  /** Seconds and nanoseconds since 1970. */
  mtime: [seconds: number, nanoseconds: number];
}

export interface DirectoryPlan extends Entry {
  mode: number;
}

export interface FilePlan extends Entry {
  mode: number;
  size: number;
  /** Which contents: seeds their place in the pool of bytes. */
  content: number;
}

export interface SymlinkPlan extends Entry {
  destination: string;
}

export interface TreePlan {
  /** Parents before children. */
  directories: DirectoryPlan[];
  files: FilePlan[];
  symlinks: SymlinkPlan[];
  /** `path` becomes one more name of the file at `existing`. */
  hardLinks: { path: string; existing: string }[];
}

const FILES_PER_DIRECTORY = 11.4;
const MAX_DEPTH = 12;
const MAX_SIZE = 64 * 1024 * 1024;
const NEWEST = Date.UTC(2026, 0, 1) / 1000;
const EIGHT_YEARS = 8 * 365 * 86400;

/**
 * Lays out a tree like a home directory: directories by random growth up to 12 deep, unevenly filled; sizes log-normal
 * around 4 KiB with a tail of media up to tens of MiB (25 KiB on average); few links; times to the nanosecond. Pure: the
 * same options give the same plan.
 */
export function planTree(options: TreeOptions): TreePlan {
  const random = new Random(options.seed);
  const names = new Map<string, Set<string>>();
  const unique = (directory: string, name: string): string => {
    let taken = names.get(directory);
    if (taken === undefined) names.set(directory, taken = new Set());
    let candidate = name;
    for (let n = 2; taken.has(candidate); n++) candidate = `${name} (${n})`;
    taken.add(candidate);
    return directory === "" ? candidate : `${directory}/${candidate}`;
  };

  const directories = planDirectories(options.files, random, unique);
  const choose = weightedChoice(directories.length, random);
  const files: FilePlan[] = [];
  for (let content = 0; content < options.files; content++) {
    const path = unique(directories[choose()].path, fileName(random));
    files.push({ path, mode: fileMode(random), size: fileSize(random), content, mtime: time(random) });
  }
  const symlinks = Array.from({ length: Math.ceil(options.files * 0.01) }, () => {
    const directory = random.pick(directories).path;
    return { path: unique(directory, fileName(random)), destination: destination(random, files), mtime: time(random) };
  });
  const hardLinks = Array.from({ length: Math.ceil(options.files * 0.003) }, () => ({
    path: unique(random.pick(directories).path, fileName(random)),
    existing: random.pick(files).path,
  }));
  return { directories, files, symlinks, hardLinks };
}

type Unique = (directory: string, name: string) => string;

function planDirectories(files: number, random: Random, unique: Unique): DirectoryPlan[] {
  const count = Math.max(TOP_DIRECTORIES.length, Math.round(files / FILES_PER_DIRECTORY));
  const directories: DirectoryPlan[] = [];
  const depths: number[] = [];
  for (let i = 0; i < count; i++) {
    let parent = -1;
    if (i >= TOP_DIRECTORIES.length) {
      do parent = random.int(i); while (depths[parent] >= MAX_DEPTH);
    }
    const name = parent < 0 ? TOP_DIRECTORIES[i] : directoryName(random);
    const path = unique(parent < 0 ? "" : directories[parent].path, name);
    depths.push(parent < 0 ? 1 : depths[parent] + 1);
    directories.push({ path, mode: random.pick([0o755, 0o755, 0o755, 0o775, 0o700, 0o750]), mtime: time(random) });
  }
  return directories;
}

/** Indices below `count`, some far more often than others and one in fifty never. */
function weightedChoice(count: number, random: Random): () => number {
  const sums = new Float64Array(count);
  let total = 0;
  for (let i = 0; i < count; i++) {
    total += random.chance(0.02) ? 0 : random.logNormal(1, 1.2);
    sums[i] = total;
  }
  return () => {
    const wanted = random.next() * total;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

function fileSize(random: Random): number {
  if (random.chance(0.01)) return 0;
  const size = random.chance(0.019) ? random.logNormal(200_000, 1.6) : random.logNormal(4096, 1.6);
  return Math.min(MAX_SIZE, Math.max(1, Math.round(size)));
}

function fileMode(random: Random): number {
  const roll = random.next();
  if (roll < 0.8) return 0o644;
  if (roll < 0.87) return 0o755;
  return roll < 0.94 ? 0o600 : random.pick([0o664, 0o444, 0o400, 0o640, 0o700]);
}

function time(random: Random): [number, number] {
  return [NEWEST - random.int(EIGHT_YEARS), random.int(1_000_000_000)];
}

function destination(random: Random, files: readonly FilePlan[]): string {
  if (random.chance(0.1)) return "../moved/away.txt";
  const path = files.length === 0 ? "nothing" : random.pick(files).path;
  return random.chance(0.5) ? path.slice(path.lastIndexOf("/") + 1) : `../${path}`;
}
