/** The synchronisation of databases over HTTP, with one of each engine for the tests of a file. */
import assert from "node:assert/strict";
import type { Engine } from "../../engine/database/types.ts";
import { mariaDatabase, postgresDatabase, sqliteDatabase, type TestDatabase } from "./database_engines.ts";
import { type MariaDb, onMariaDb, sharedMariaDb } from "./mariadb.ts";
import { type PostgresServer, sharedPostgres } from "./postgres.ts";
import type { Answer, Json, RequestOptions, Server } from "./server.ts";

export const ENGINES: Engine[] = ["postgres", "mysql", "sqlite"];

export interface SharedEngines {
  postgres(): PostgresServer;
  mariaDb(): MariaDb;
  /** A database of an engine for one test; a SQLite file under the server's root. */
  open(engine: Engine, server: Pick<Server, "root">): Promise<TestDatabase>;
}

/** Registers the file's hooks. */
export function sharedEngines(): SharedEngines {
  const postgres = sharedPostgres();
  const mariaDb = sharedMariaDb();
  return {
    postgres,
    mariaDb,
    async open(engine, server) {
      switch (engine) {
        case "postgres":
          return await postgresDatabase(postgres());
        case "mysql":
          return await mariaDatabase(mariaDb());
        case "sqlite":
          return await sqliteDatabase(server.root);
      }
    },
  };
}

/** A test's name, for engines of which one may not be installed. */
export function named(title: string, ...engines: Engine[]): { name: string; ignore?: boolean } {
  return engines.includes("mysql") ? onMariaDb(title) : { name: title };
}

type End = Pick<TestDatabase, "connectionString">;

/** `POST /sync/database`, or another path that takes the same, whatever its answer. */
export function postDatabases(
  server: Server,
  [source, target]: [End, End],
  fields: Json,
  { path = "/sync/database", ...options }: RequestOptions & { path?: string } = {},
): Promise<Answer> {
  const body = {
    sourceConnectionString: source.connectionString,
    targetConnectionString: target.connectionString,
    ...fields,
  };
  return server.request("POST", path, body, options);
}

/** The same, which must end with 200; returns the answer's body. */
export async function syncDatabases(server: Server, pair: [End, End], fields: Json): Promise<Json> {
  const answer = await postDatabases(server, pair, fields);
  assert.equal(answer.status, 200, answer.text.slice(0, 2_000));
  return answer.body;
}

/** Starts a run and returns its session's id. */
export async function startDatabases(server: Server, pair: [End, End], fields: Json): Promise<string> {
  const answer = await postDatabases(server, pair, fields, { headers: { prefer: "respond-async" } });
  assert.equal(answer.status, 202, answer.text.slice(0, 2_000));
  return answer.body.sessionId;
}
