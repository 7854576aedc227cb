/** MariaDB for tests: Debian's server with data of its own, on loopback, gone when the tests of the file are through. */
import mysql from "mysql2/promise";
import type { ConnectionSpec } from "../../engine/database/types.ts";
import { command } from "./command.ts";
import { poll } from "./poll.ts";
import { randomBytes } from "node:crypto";

const SERVER = "/usr/sbin/mariadbd";
const INSTALL = "/usr/bin/mariadb-install-db";
const MISSING = await Deno.stat(SERVER).then(() => false, () => true);

/** The user of the tests, who may do everything on this server. */
const USER = "syncline";

export interface MariaDb extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** The data directory's parent; goes with the server. */
  readonly directory: string;
  readonly user: string;
  /** A word that occurs nowhere else, so that a test can look for it where no password may be. */
  readonly password: string;
  /** How to reach one of its databases. */
  spec(database: string): ConnectionSpec;
  /** A connection of the tests' own, past the code under test. */
  client(database?: string): Promise<mysql.Connection>;
  /** Makes a database; disposing of it drops it. */
  database(): Promise<TestDatabase>;
}

/** A database that one test has for itself. */
export interface TestDatabase extends AsyncDisposable {
  readonly name: string;
  readonly spec: ConnectionSpec;
  /** Runs statements one after the other and returns the last one's rows. */
  run(...statements: string[]): Promise<Record<string, unknown>[]>;
}

/** Spread into a test that needs MariaDB: where there is none it is skipped, and its name says what to install. */
export function onMariaDb(name: string): { name: string; ignore: boolean } {
  return MISSING
    ? { name: `${name} (needs MariaDB: apt-get install mariadb-server)`, ignore: true }
    : { name, ignore: false };
}

/** One server for all tests of a file. The function returned gives it, from within a test. */
export function sharedMariaDb(options: string[] = []): () => MariaDb {
  let server: MariaDb | undefined;
  Deno.test.beforeAll(async () => {
    if (!MISSING) server = await startMariaDb(options);
  });
  Deno.test.afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });
  return () => {
    if (server === undefined) throw new Error("Cannot use MariaDB: it did not start");
    return server;
  };
}

/** Starts a server; `options` are more of its own, such as `--local-infile=0`. */
export async function startMariaDb(options: string[] = []): Promise<MariaDb> {
  const directory = await Deno.makeTempDir({ prefix: "syncline-mariadb-" });
  try {
    return await startIn(directory, options);
  } catch (error) {
    await command("rm", ["-rf", "--", directory]);
    throw error;
  }
}

async function startIn(directory: string, options: string[]): Promise<MariaDb> {
  const data = `${directory}/data`;
  const password = `not-to-be-seen-${randomBytes(8).toString("hex")}`;
  const me = ["--no-defaults", `--datadir=${data}`, ...(Deno.uid() === 0 ? ["--user=root"] : [])];
  const small = ["--innodb-log-file-size=16M", "--innodb-buffer-pool-size=256M", "--performance-schema=OFF"];
  await command(INSTALL, [...me, ...small, "--auth-root-authentication-method=normal", "--skip-test-db"]);
  const setUp = `${directory}/set-up.sql`;
  await Deno.writeTextFile(
    setUp,
    `CREATE OR REPLACE USER '${USER}'@'%' IDENTIFIED BY '${password}';\nGRANT ALL ON *.* TO '${USER}'@'%' WITH GRANT OPTION;\n`,
  );
  const port = freePort();
  const log = `${directory}/error.log`;
  const child = new Deno.Command(SERVER, {
    args: [
      ...me,
      ...small,
      `--socket=${directory}/socket`,
      `--pid-file=${directory}/pid`,
      `--log-error=${log}`,
      `--init-file=${setUp}`,
      "--bind-address=127.0.0.1",
      `--port=${port}`,
      "--skip-name-resolve",
      "--innodb-flush-log-at-trx-commit=2",
      ...options,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let ended: Deno.CommandStatus | undefined;
  const exited = child.status.then((status) => ended = status);
  const client = (database?: string) =>
    mysql.createConnection({ host: "127.0.0.1", port, user: USER, password, database, charset: "utf8mb4" });
  let made = 0;
  const server: MariaDb = {
    port,
    pid: child.pid,
    directory,
    user: USER,
    password,
    spec: (database) => ({
      engine: "mysql",
      host: "127.0.0.1",
      port,
      database,
      user: USER,
      password,
      ssl: "prefer",
      connectTimeoutMs: 10_000,
    }),
    client,
    database: () => makeDatabase(server, `test_${++made}`),
    async [Symbol.asyncDispose]() {
      if (ended === undefined) child.kill("SIGKILL");
      await exited;
      await command("rm", ["-rf", "--", directory]);
    },
  };
  try {
    await poll("MariaDB's answer", async () => {
      if (ended !== undefined) throw new Error(`MariaDB ended at its start: ${await Deno.readTextFile(log)}`);
      return await client().then((connection) => connection.end().then(() => true), () => false);
    }, { deadlineMs: 60_000, intervalMs: 50 });
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

async function makeDatabase(server: MariaDb, name: string): Promise<TestDatabase> {
  const connection = await server.client();
  await connection.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
  await connection.query(`USE ${name}`);
  return {
    name,
    spec: server.spec(name),
    async run(...statements) {
      let rows: unknown = [];
      for (const statement of statements) [rows] = await connection.query(statement);
      return Array.isArray(rows) ? rows as Record<string, unknown>[] : [];
    },
    async [Symbol.asyncDispose]() {
      await connection.query(`DROP DATABASE IF EXISTS ${name}`);
      await connection.end();
    },
  };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
