/** Every message between the state's owner and its writer thread. One batch is under way at a time. */
import type { ErrorKind } from "../errors.ts";

export type SqlValue = string | number | null;

/** One SQL statement. The text is a constant of the program: the thread keeps each text's compiled form. */
export interface Statement {
  sql: string;
  parameters: SqlValue[];
}

/** The statements of one write: all of them or none. */
export interface Write {
  statements: Statement[];
  /** False for what may be lost with the machine's power, though not with the process, such as progress. */
  durable: boolean;
}

/** How one write of a batch ended: rows changed, for each statement, or why it was not done. */
export type WriteResult = { changes: number[] } | { failure: string };

/** The thread is started with this as its `workerData`. */
export interface WriterSetup {
  path: string;
}

export type ToWriter =
  /** Commit these in one transaction. */
  | { type: "batch"; writes: Write[] }
  /** Close the database and say so. */
  | { type: "close" };

export type FromWriter =
  | { type: "ready" }
  /** The database cannot be opened; the thread does nothing more. */
  | { type: "refused"; kind: ErrorKind; message: string; details: string }
  /** In the order of the batch, sent once it is on disk. */
  | { type: "committed"; results: WriteResult[] }
  | { type: "closed" };
