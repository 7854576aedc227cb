/** `deno task bench cloud`: object stores against rclone, on the same emulator and files. See {@link USAGE}. */
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { startS3Disk } from "../../harness/emulator.ts";
import { run } from "../command.ts";
import { readCommandLine, whole } from "../options.ts";
import { print, progress } from "../print.ts";
import { MemoryPeak } from "../process_usage.ts";
import { Random } from "../random.ts";
import { Server } from "../server.ts";
import { median } from "../stats.ts";
import { table } from "../table.ts";
import { Workspace } from "../workspace.ts";

export const USAGE = `deno task bench cloud [options]

Measures uploads, downloads and backups against rclone, in turn, on an S3 emulator (s3rver) that it starts.

  --rounds N        rounds; each once a round (3)
  --size N          MiB of the large file (1024)
  --files N         small files, 20 KiB each (2000)
  --temp DIRECTORY  where everything is put (the system's temporary directory)

Exit status: 0 all bounds hold, 2 one does not, 1 the bench failed.`;

const MIB = 1024 ** 2;
const BUCKET = "syncline-bench";
/** Above what the server holds when it has nothing to do. */
const MEMORY_BOUND = 150 * MIB;
const BOUNDS = { "upload": 1.0, "download": 1.0, "small files": 0.3 } as const;
type Scenario = keyof typeof BOUNDS;

interface Options {
  rounds: number;
  bytes: number;
  files: number;
  temp: string;
}

/** Undefined where help was asked for, else whether all bounds hold. */
export async function benchCloud(args: string[], signal: AbortSignal): Promise<boolean | undefined> {
  const options = readOptions(args);
  return options === undefined ? undefined : await bench(options, signal);
}

function readOptions(args: string[]): Options | undefined {
  const { values } = parse(args);
  if (values.help) return undefined;
  return {
    rounds: whole("rounds", values.rounds, 1, 1_000_000_000),
    bytes: whole("size", values.size, 1, 1_000_000_000) * MIB,
    files: whole("files", values.files, 1, 1_000_000_000),
    temp: resolve(values.temp),
  };
}

function parse(args: string[]) {
  return readCommandLine(args, {
    rounds: { type: "string", default: "3" },
    size: { type: "string", default: "1024" },
    files: { type: "string", default: "2000" },
    temp: { type: "string", default: tmpdir() },
  });
}

async function bench({ rounds, bytes, files, temp }: Options, signal: AbortSignal): Promise<boolean> {
  const need = { bytes: 4 * bytes + files * 100_000 + 1e9, entries: files * 3 + 1000 };
  await using workspace = await Workspace.create(temp, need, false);
  const root = await workspace.directory("root");
  progress("making files");
  await makeFile(`${root}/large.bin`, bytes);
  const small = await workspace.directory("root/small");
  for (let i = 0; i < files; i++) await makeFile(`${small}/file-${i}`, 20 * 1024, i);

  await using emulator = await startS3Disk(BUCKET);
  const { env } = emulator;
  await using server = await Server.start({
    dataDir: await workspace.directory("data"),
    roots: [root],
    logFile: `${workspace.path}/server.log`,
    env,
    signal,
  });
  const remote = (path: string) => `bench:${BUCKET}/${path}`;
  const rclone = (...args: string[]) => run(["rclone", ...args], { signal, env: rcloneEnvironment(env) });
  const post = async (path: string, body: object) => {
    const startedAt = performance.now();
    const answer = await server.post<{ success: boolean }>(path, body);
    if (!answer.success) throw new Error(`POST ${path} did not succeed: ${JSON.stringify(answer).slice(0, 1000)}`);
    return performance.now() - startedAt;
  };

  const times: Record<Scenario, { ours: number[]; rclone: number[] }> = {
    "upload": { ours: [], rclone: [] },
    "download": { ours: [], rclone: [] },
    "small files": { ours: [], rclone: [] },
  };
  const memory = new MemoryPeak(server.pid);
  // The SDK is loaded and the idle memory is that of a server that has used it.
  await post("/cloud/s3/upload", { cloudPath: "warm", localPath: `${small}/file-0` });
  await memory.restart();
  const idle = await memory.read();
  let peak = 0;
  for (let round = 0; round < rounds; round++) {
    progress(`round ${round + 1}`);
    const [up, down] = [`up-${round}`, `${root}/down-${round}`];
    await memory.restart();
    times.upload.ours.push(await post("/cloud/s3/upload", { cloudPath: up, localPath: `${root}/large.bin` }));
    times.upload.rclone.push(
      (await rclone("copyto", `${root}/large.bin`, remote(`${up}-rclone`))).milliseconds,
    );
    times.download.ours.push(await post("/cloud/s3/download", { cloudPath: up, localPath: down }));
    times.download.rclone.push((await rclone("copyto", remote(`${up}-rclone`), `${down}-rclone`)).milliseconds);
    peak = Math.max(peak, await memory.read());
    await run(["cmp", down, `${root}/large.bin`], { signal });
    await run(["rm", down, `${down}-rclone`], { signal });
    await rclone("deletefile", remote(up));
    await rclone("deletefile", remote(`${up}-rclone`));
    const backupPath = `s3://${BUCKET}/repository-${round}`;
    times["small files"].ours.push(await post("/backup/create", { sourceDirectory: small, backupPath }));
    times["small files"].rclone.push((await rclone("copy", small, remote(`small-${round}`))).milliseconds);
  }
  return report(times, peak - idle, idle);
}

function rcloneEnvironment(env: Record<string, string>): Record<string, string> {
  const settings = {
    TYPE: "s3",
    PROVIDER: "Other",
    ENDPOINT: env.S3_ENDPOINT,
    ACCESS_KEY_ID: env.AWS_ACCESS_KEY_ID,
    SECRET_ACCESS_KEY: env.AWS_SECRET_ACCESS_KEY,
    REGION: "us-east-1",
    FORCE_PATH_STYLE: "true",
  };
  const entries = Object.entries(settings).map(([name, value]) => [`RCLONE_CONFIG_BENCH_${name}`, value]);
  // rclone refuses to start with a bundle of certificates.
  return { ...Object.fromEntries(entries), RCLONE_CONFIG: "/dev/null", AWS_CA_BUNDLE: "" };
}

async function makeFile(path: string, bytes: number, seed = 1): Promise<void> {
  const random = new Random(seed);
  using file = await Deno.open(path, { write: true, createNew: true });
  const writer = file.writable.getWriter();
  for (let at = 0; at < bytes; at += MIB) {
    const piece = new Uint8Array(Math.min(MIB, bytes - at));
    random.fill(piece);
    await writer.write(piece);
  }
  await writer.close();
}

function report(
  times: Record<Scenario, { ours: number[]; rclone: number[] }>,
  memory: number,
  idle: number,
): boolean {
  const seconds = (values: number[]) => (median(values) / 1000).toFixed(2);
  let holds = memory <= MEMORY_BOUND;
  const rows = (Object.keys(BOUNDS) as Scenario[]).map((scenario) => {
    const { ours, rclone } = times[scenario];
    const ratio = median(ours) / median(rclone);
    const isWithin = ratio <= BOUNDS[scenario];
    holds &&= isWithin;
    return [
      scenario,
      seconds(ours),
      seconds(rclone),
      ratio.toFixed(2),
      `≤ ${BOUNDS[scenario]}`,
      isWithin ? "yes" : "NO",
    ];
  });
  for (const line of table([["", "ours s", "rclone s", "ratio", "bound", "holds"], ...rows], 1)) print(line);
  const mib = (bytes: number) => (bytes / MIB).toFixed(0);
  print(`Server memory: ${mib(memory)} MiB above idle (${mib(idle)} MiB); bound ${mib(MEMORY_BOUND)} MiB`);
  print(holds ? "All bounds hold." : "Not all bounds hold.");
  return holds;
}
