import type { CreateResult } from "../../../engine/backup/types.ts";
import { progress } from "../print.ts";
import { Random } from "../random.ts";
import { Server } from "../server.ts";
import { median } from "../stats.ts";
import type { Workspace } from "../workspace.ts";
import type { BackupBenchOptions } from "./options.ts";
import type { Figure } from "./report.ts";
import { serverOptions } from "./server_options.ts";

const FILES = 50_000;
const IN_BIG = 10_000;
const IN_DEEP = 1_000;
const DEPTH = 25;
const IN_A_DIRECTORY = 390;
const BIG = "big";
const DEEP = Array.from({ length: DEPTH }, (_, level) => `level-${level}`).join("/");
const CHANGED = 3;
const BOUND_SECONDS = 1;
const WARM_ROUNDS = 5;

/** What is asked of one version of a long history, the first time after the server's start and then again. */
export async function measureHistory(
  workspace: Workspace,
  { history, seed }: BackupBenchOptions,
  signal: AbortSignal,
): Promise<Figure[]> {
  const source = await workspace.directory("trees/history");
  const files = makeTree(source);
  const backupPath = `${workspace.path}/trees/history-repository`;
  const options = await serverOptions(workspace, "history", signal);
  const ids = await makeVersions(options, { source, files, backupPath, history, seed });

  const repository = `backupPath=${encodeURIComponent(backupPath)}`;
  const of = (version: number) => `/backup/versions/${ids[version]}`;
  const middle = Math.floor(history / 2);
  const questions: Record<string, string> = {
    list: `/backup/versions?${repository}`,
    "browse the root": `${of(middle)}/files?${repository}`,
    "browse a directory of 10,000": `${of(middle)}/files?${repository}&path=${BIG}&limit=10000`,
    [`browse ${DEPTH} directories deep`]: `${of(middle)}/files?${repository}&path=${DEEP}`,
    "diff with the next": `${of(middle)}/diff/${ids[middle + 1]}?${repository}`,
    "diff first and last": `${of(0)}/diff/${ids[history - 1]}?${repository}`,
  };
  const figures: Figure[] = [];
  for (const [name, path] of Object.entries(questions)) {
    // Each question is the first one of a server, which has nothing in memory then.
    await using server = await Server.start(options);
    const seconds: number[] = [];
    for (let round = 0; round <= WARM_ROUNDS; round++) {
      const started = performance.now();
      await server.get(path);
      seconds.push((performance.now() - started) / 1000);
    }
    const [first, ...again] = seconds;
    progress(`${history} versions, ${name}: first ${first.toFixed(3)} s, again ${median(again).toFixed(3)} s`);
    const add = (when: string, value: number) =>
      figures.push({ name: `${history} versions, ${name}, ${when}`, unit: "s", value, bound: BOUND_SECONDS });
    add("first", first);
    add("again", median(again));
  }
  return figures;
}

/** A flat directory, a deep one, and many of usual size. Returns the paths of all files. */
function makeTree(directory: string): string[] {
  progress(`making ${FILES} files`);
  const files: string[] = [];
  for (let made = 0; made < FILES; made++) {
    const rest = made - IN_BIG - IN_DEEP;
    const folder = made < IN_BIG ? BIG : rest < 0 ? DEEP : `folder-${Math.floor(rest / IN_A_DIRECTORY)}`;
    if (made === 0 || made === IN_BIG || rest >= 0 && rest % IN_A_DIRECTORY === 0) {
      Deno.mkdirSync(`${directory}/${folder}`, { recursive: true });
    }
    files.push(`${directory}/${folder}/file-${made}`);
    Deno.writeTextFileSync(files[made], `file ${made}\n`);
  }
  return files;
}

interface Making {
  source: string;
  files: string[];
  backupPath: string;
  history: number;
  seed: number;
}

/** Backs the tree up again and again, with a few files changed each time. Returns the versions' ids. */
async function makeVersions(options: Parameters<typeof Server.start>[0], making: Making): Promise<string[]> {
  const { source, files, backupPath, history, seed } = making;
  await using server = await Server.start(options);
  const random = new Random(seed);
  const ids: string[] = [];
  let started = performance.now();
  for (let version = 0; version < history; version++) {
    for (let i = 0; i < CHANGED; i++) await Deno.writeTextFile(random.pick(files), `version ${version}, change ${i}\n`);
    const request = { sourceDirectory: source, backupPath };
    ids.push((await server.post<CreateResult>("/backup/create", request)).versionId);
    if (version % 100 !== 99) continue;
    progress(`${version + 1} versions; the last 100 took ${((performance.now() - started) / 1000).toFixed(1)} s`);
    started = performance.now();
  }
  return ids;
}
