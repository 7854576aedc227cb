import * as fs from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { DatabaseError } from "../error.ts";
import { isBusy, sqliteFailure } from "./failure.ts";
import { Query } from "./query.ts";

/** How long a call waits for another program's lock, and how long SQLite itself may, while nothing else on the thread runs. */
const BUSY_MS = 10_000;
const BLOCKING_MS = 20;
const RETRY_MS = 25;

/** Whether there is a file. @throws DatabaseError where there is something else or nobody may look */
export function isThere(path: string): boolean {
  try {
    if (fs.statSync(path).isFile()) return true;
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code === "ENOENT") return false;
    throw new DatabaseError(code === "EACCES" ? "permission" : "connection", `${path} cannot be reached: ${code}`);
  }
  throw new DatabaseError("connection", `${path} is not a file`);
}

/** Opens a database file. @throws DatabaseError */
export async function openFile(
  path: string,
  mode: "read" | "write" | "create",
  signal: AbortSignal,
): Promise<DatabaseSync> {
  if (mode !== "create" && !isThere(path)) throw missing(path);
  let database: DatabaseSync;
  try {
    // A reader may write as well: it has to bring a file to order that a program left in the middle of a transaction.
    database = new DatabaseSync(path, { timeout: BLOCKING_MS, enableForeignKeyConstraints: true });
  } catch (error) {
    throw sqliteFailure(error);
  }
  try {
    // The first look at the file shows whether it is a database.
    await patiently(signal, () => new Query(database, "SELECT count(*) FROM sqlite_schema").first([]));
    if (mode === "read") database.exec("PRAGMA query_only = ON");
    return database;
  } catch (error) {
    database.close();
    throw sqliteFailure(error);
  }
}

export function missing(path: string): DatabaseError {
  return new DatabaseError("missing", `there is no database file ${path}`);
}

/** Does something again as long as another program holds a lock; the thread is free meanwhile. @throws DatabaseError */
export async function patiently<T>(signal: AbortSignal, work: () => T): Promise<T> {
  for (const end = performance.now() + BUSY_MS;;) {
    signal.throwIfAborted();
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || performance.now() > end) throw sqliteFailure(error);
    }
    await delay(RETRY_MS, undefined, { signal });
  }
}
