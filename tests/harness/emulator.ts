/** Object stores that the tests start: programs from npm that speak the protocols of S3 and Azure. */
import { poll } from "./poll.ts";

export interface Emulator extends AsyncDisposable {
  /** Such as `http://127.0.0.1:4566`. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
}

const S3_PACKAGE = "npm:fauxqs@2.4.1";
const S3_DISK_PACKAGE = "npm:s3rver@3.7.1";
const AZURE_PACKAGE = "npm:azurite@3.37.0/azurite-blob";

/** The account and key that every Azurite has. */
const ACCOUNT = "devstoreaccount1";
const KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/** What a process must have in its environment to use the S3 emulator; it checks no signature. */
export function s3Environment({ url }: Pick<Emulator, "url">, bucket: string): Record<string, string> {
  return {
    S3_BUCKET: bucket,
    S3_ENDPOINT: url,
    S3_FORCE_PATH_STYLE: "true",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_REGION: "us-east-1",
  };
}

export function azureEnvironment({ url }: Pick<Emulator, "url">, container: string): Record<string, string> {
  const endpoint = `BlobEndpoint=${url}/${ACCOUNT};`;
  return {
    AZURE_STORAGE_CONNECTION_STRING:
      `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${KEY};${endpoint}`,
    AZURE_STORAGE_CONTAINER: container,
  };
}

/** Starts S3 (fauxqs), everything in its memory. */
export function startS3(): Promise<Emulator> {
  return start((port) => ({
    args: [S3_PACKAGE],
    env: { FAUXQS_PORT: String(port), FAUXQS_LOGGER: "false" },
  }));
}

/** The key and secret that {@link startS3Disk} knows. */
const DISK_KEY = "S3RVER";

/** Starts S3 (s3rver) with a bucket, on the disk: slower, but it takes files of any size, and uploads in parts by any client. */
export async function startS3Disk(bucket: string): Promise<Emulator & { env: Record<string, string> }> {
  const emulator = await start((port) => ({
    args: [S3_DISK_PACKAGE, "-d", ".", "-p", String(port), "-a", "127.0.0.1", "--silent", "--configure-bucket", bucket],
    env: {},
  }));
  const env = { ...s3Environment(emulator, bucket), AWS_ACCESS_KEY_ID: DISK_KEY, AWS_SECRET_ACCESS_KEY: DISK_KEY };
  return Object.assign(emulator, { env });
}

/** Starts Azure's blob service (Azurite), everything in its memory. */
export function startAzure(): Promise<Emulator> {
  return start((port) => ({
    args: [AZURE_PACKAGE, "--inMemoryPersistence", "--silent", "--skipApiVersionCheck", "--blobPort", String(port)],
    env: {},
  }));
}

async function start(
  how: (port: number) => { args: string[]; env: Record<string, string> },
): Promise<Emulator> {
  const port = freePort();
  const { args, env } = how(port);
  const directory = await Deno.makeTempDir({ prefix: "syncline-emulator-" });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "--no-config", "--no-lock", ...args],
    cwd: directory,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let ended: Deno.CommandStatus | undefined;
  const exited = child.status.then((status) => ended = status);
  const url = `http://127.0.0.1:${port}`;
  const emulator: Emulator = {
    url,
    port,
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      if (ended === undefined) child.kill("SIGKILL");
      await exited;
      await Deno.remove(directory, { recursive: true });
    },
  };
  try {
    await poll(`an answer of ${args[0]}`, () => {
      if (ended !== undefined) throw new Error(`${args[0]} ended with ${ended.code} at its start`);
      return answers(url);
    }, { deadlineMs: 120_000, intervalMs: 50 });
  } catch (error) {
    await emulator[Symbol.asyncDispose]();
    throw error;
  }
  return emulator;
}

async function answers(url: string): Promise<boolean> {
  try {
    await (await fetch(url)).body?.cancel();
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
