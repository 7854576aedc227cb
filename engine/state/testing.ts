/** What the tests of the state and of sessions share. */
import { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { openState } from "./open.ts";
import type { WriterSetup } from "./protocol.ts";
import type { State } from "./types.ts";

/** A directory that is removed when its scope ends. */
export async function temporaryDirectory(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir({ prefix: "syncline-state-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

export interface TestState extends AsyncDisposable {
  dataDir: string;
  state: State;
  /** What was reported of background work. */
  reports: string[];
  /** Writer threads in the order of their starts. */
  threads: Worker[];
  /** Closes the state and opens it again. */
  reopen(): Promise<State>;
}

/** A state in a directory of its own; both end with the scope. */
export async function openTestState(): Promise<TestState> {
  const directory = await temporaryDirectory();
  const dataDir = `${directory.path}/data`;
  const reports: string[] = [];
  const threads: Worker[] = [];
  const spawn = (setup: WriterSetup) => {
    const thread = new Worker(new URL("./writer_thread.ts", import.meta.url), { workerData: setup });
    threads.push(thread);
    return thread;
  };
  const report = (message: string, error: unknown) => reports.push(`${message}: ${error}`);
  const open = () => openState({ dataDir, report, spawn });
  const test: TestState = {
    dataDir,
    state: await open(),
    reports,
    threads,
    async reopen() {
      await test.state.close();
      return test.state = await open();
    },
    async [Symbol.asyncDispose]() {
      await test.state.close();
      await directory[Symbol.asyncDispose]();
    },
  };
  return test;
}

/** Changes the database behind the state's back. */
export function tamper(dataDir: string, change: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(`${dataDir}/state.db`);
  try {
    change(database);
  } finally {
    database.close();
  }
}
