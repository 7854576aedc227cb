import type { TaskPool } from "../../workers/types.ts";
import type { DiffStore } from "./diff_store.ts";
import type { TableLocks } from "./locks.ts";

/** What a database synchronisation needs of its surroundings. */
export interface DatabaseServices {
  /** Workers for whole runs. Not the ordinary pool: a run waits for its servers most of the time and holds its worker. */
  databasePool: TaskPool;
  /** The server's own directory, absolute and resolved: home of baselines, spools and the results of diffs. */
  dataDir: string;
  locks: TableLocks;
  diffs: DiffStore;
}
