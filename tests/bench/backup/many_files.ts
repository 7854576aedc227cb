import type { CreateResult, RestoreResult } from "../../../engine/backup/types.ts";
import { assertEqual } from "../equality.ts";
import { progress } from "../print.ts";
import { MemoryPeak } from "../process_usage.ts";
import { Random } from "../random.ts";
import { Server } from "../server.ts";
import type { Workspace } from "../workspace.ts";
import type { BackupBenchOptions } from "./options.ts";
import type { Figure } from "./report.ts";
import { serverOptions } from "./server_options.ts";

const IN_A_DIRECTORY = 1_000;
const MEMORY_BYTES = 1024 ** 3;

/** Backs very many small files up and restores them: what the server holds meanwhile, and what it takes. */
export async function measureManyFiles(
  workspace: Workspace,
  { smallFiles, seed }: BackupBenchOptions,
  signal: AbortSignal,
): Promise<Figure[]> {
  const source = await workspace.directory("trees/small");
  progress(`making ${smallFiles} small files`);
  await makeFiles(source, smallFiles, seed, signal);

  await using server = await Server.start(await serverOptions(workspace, "small", signal));
  const memory = new MemoryPeak(server.pid);
  const backupPath = `${workspace.path}/trees/small-repository`;
  const restorePath = await workspace.directory("trees/small-restored");
  const figures: Figure[] = [];
  const measure = async <T extends { success: boolean; errors: string[] }>(
    name: string,
    path: string,
    body: object,
  ) => {
    await memory.restart();
    const started = performance.now();
    const answer = await server.post<T>(path, body);
    const seconds = (performance.now() - started) / 1000;
    if (!answer.success) throw new Error(`${name}: ${answer.errors.slice(0, 5).join("; ")}`);
    const bytes = await memory.read();
    progress(`${smallFiles} small files, ${name}: ${seconds.toFixed(1)} s, ${(bytes / 1024 ** 2).toFixed(0)} MiB`);
    figures.push(
      { name: `${smallFiles} small files, ${name}`, unit: "s", value: seconds, bound: null },
      {
        name: `${smallFiles} small files, ${name}, server`,
        unit: "MiB",
        value: bytes / 2 ** 20,
        bound: MEMORY_BYTES / 2 ** 20,
      },
    );
    return answer;
  };
  await measure<CreateResult>("first backup", "/backup/create", { sourceDirectory: source, backupPath });
  const request = { sourceDirectory: source, backupPath };
  const { versionId } = await measure<CreateResult>("no change", "/backup/create", request);
  await measure<RestoreResult>("restore", "/backup/restore", { backupPath, versionId, restorePath });
  progress("comparing what was restored");
  await assertEqual(source, restorePath, signal);
  return figures;
}

/** Files of 20 to 200 bytes, no two alike. */
async function makeFiles(directory: string, count: number, seed: number, signal: AbortSignal): Promise<void> {
  const random = new Random(seed);
  for (let made = 0; made < count; made += IN_A_DIRECTORY) {
    signal.throwIfAborted();
    const folder = `${directory}/folder-${made / IN_A_DIRECTORY}`;
    await Deno.mkdir(folder);
    fillFolder(folder, Math.min(IN_A_DIRECTORY, count - made), random);
  }
}

function fillFolder(folder: string, count: number, random: Random): void {
  const bytes = new Uint8Array(200);
  for (let file = 0; file < count; file++) {
    random.fill(bytes);
    Deno.writeFileSync(`${folder}/file-${file}`, bytes.subarray(0, 20 + random.int(181)), { createNew: true });
  }
}
