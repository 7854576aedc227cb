import { DatabaseSync } from "node:sqlite";
import { EngineError } from "../errors.ts";
import { MIGRATIONS } from "./migrations.ts";

/** SQLite's mark of whose database a file is: "SYNC" in ASCII. */
const APPLICATION_ID = 0x53594e43;

/** Larger files are not read through at every start; SQLite still reports damage where it meets it. */
const MAX_CHECKED_BYTES = 64 * 1024 * 1024;

/** How long a write waits for a lock that another program, such as a copy of the file being taken, holds on the database. */
const BUSY_TIMEOUT_MS = 10_000;

function pragma(database: DatabaseSync, name: string): unknown {
  const row = database.prepare(`PRAGMA ${name}`).get();
  return row === undefined ? undefined : Object.values(row)[0];
}

function damaged(path: string, words: string, cause?: unknown): EngineError {
  return new EngineError(
    "unavailable",
    `Cannot open the state database ${path}: the file is damaged (${words})`,
    "Restore state.db from a copy, or move it away to start without keys and sessions",
    { cause },
  );
}

function translate(error: unknown, path: string): unknown {
  if (error instanceof EngineError || !(error instanceof Error)) return error;
  if (/not a database|malformed|disk image/.test(error.message)) return damaged(path, error.message, error);
  return new EngineError(
    "unavailable",
    `Cannot open the state database ${path}: ${error.message}`,
    "Check that the directory and its files can be read and written by the server's user, and that the disk has space",
    { cause: error },
  );
}

function hasTables(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() !== undefined;
}

/** Looks only: what is not ours stays as it is. */
function identify(database: DatabaseSync, path: string): void {
  if (pragma(database, "application_id") !== APPLICATION_ID && hasTables(database)) {
    throw new EngineError(
      "unavailable",
      `Cannot open the state database ${path}: it belongs to another program`,
      "Choose another data directory",
    );
  }
  const version = Number(pragma(database, "user_version"));
  if (version > MIGRATIONS.length) {
    throw new EngineError(
      "unavailable",
      `Cannot open the state database ${path}: a newer version of the server wrote it ` +
        `(schema ${version}, this version knows up to ${MIGRATIONS.length})`,
      "Run the newer version of the server",
    );
  }
}

function configure(database: DatabaseSync, path: string): void {
  if (pragma(database, "journal_mode = WAL") !== "wal") {
    throw new EngineError(
      "unavailable",
      `Cannot open the state database ${path}: its file system has no shared memory, which a write-ahead log needs`,
      "Choose a data directory on a local disk",
    );
  }
  database.exec("PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864; PRAGMA foreign_keys = ON");
}

function migrate(database: DatabaseSync): void {
  for (let next = Number(pragma(database, "user_version")); next < MIGRATIONS.length; next++) {
    database.exec(
      `BEGIN IMMEDIATE; ${MIGRATIONS[next]}; PRAGMA application_id = ${APPLICATION_ID}; ` +
        `PRAGMA user_version = ${next + 1}; COMMIT`,
    );
  }
}

function check(database: DatabaseSync, path: string): void {
  const bytes = Number(pragma(database, "page_count")) * Number(pragma(database, "page_size"));
  if (bytes > MAX_CHECKED_BYTES) return;
  const verdict = String(pragma(database, "quick_check(1)"));
  if (verdict !== "ok") throw damaged(path, verdict.replaceAll(/\s+/g, " "));
}

/**
 * Opens the database for writing, checks it and brings its schema up to date, each step in a transaction of its own.
 * Blocks: for the writer's thread.
 * @throws EngineError with a message of one line where the file is damaged, foreign, newer than this program or unwritable
 */
export function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    identify(database, path);
    configure(database, path);
    check(database, path);
    migrate(database);
    return database;
  } catch (error) {
    if (database?.isOpen) database.close();
    throw translate(error, path);
  }
}
