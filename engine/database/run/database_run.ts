import type { ProgressUpdate } from "../../jobs/types.ts";
import type { TaskContext } from "../../../workers/types.ts";
import type { Connection, Snapshot } from "../dialect.ts";
import type { EntityResult, SyncDatabaseRequest } from "../request.ts";
import type { Table } from "../types.ts";
import type { TablePair } from "./pairing.ts";
import type { EntityPlan } from "./plan.ts";
import type { Progress } from "./progress.ts";
import type { Report } from "./report.ts";
import type { RunInput } from "./run_task.ts";

/** Something that both sides have. */
export interface Sides<T> {
  source: T;
  target: T;
}

/** What the parts of one run share. */
export interface DatabaseRun {
  input: RunInput;
  request: SyncDatabaseRequest;
  context: TaskContext<ProgressUpdate>;
  connections: Sides<Connection>;
  report: Report;
  progress: Progress;
}

/** One entity of the request. */
export interface Entity {
  /** As the user wrote it. */
  name: string;
  /** Its place in the request. */
  index: number;
  source: Table;
  /** Undefined: it is to be made. */
  target: Table | undefined;
  /** Undefined until the target is there. */
  pair: TablePair | undefined;
  /** What stands for the pair until the target is there. */
  planned?: TablePair;
  creation: { statements: string[]; notes: string[] } | undefined;
  result: EntityResult;
  /** Set by the comparison. */
  plan?: EntityPlan;
}

export type Snapshots = Sides<Snapshot>;
