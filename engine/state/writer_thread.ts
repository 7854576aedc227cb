/** The writer thread: the only place that changes the database, and the only one that waits for the disk. */
import { parentPort, workerData } from "node:worker_threads";
import { EngineError } from "../errors.ts";
import { BatchCommitter } from "./commit_batch.ts";
import { openDatabase } from "./open_database.ts";
import type { FromWriter, ToWriter, WriterSetup } from "./protocol.ts";

const port = parentPort;
if (port === null) throw new Error("Cannot run the state's writer: it is started as a worker thread");

function send(message: FromWriter): void {
  port?.postMessage(message);
}

function start(): void {
  const database = openDatabase((workerData as WriterSetup).path);
  const committer = new BatchCommitter(database);
  port?.on("message", (message: ToWriter) => {
    switch (message.type) {
      case "batch":
        return send({ type: "committed", results: committer.commit(message.writes) });
      case "close":
        database.close();
        return send({ type: "closed" });
    }
  });
  send({ type: "ready" });
}

try {
  start();
} catch (error) {
  if (!(error instanceof EngineError)) throw error;
  send({ type: "refused", kind: error.kind, message: error.message, details: error.details });
}
