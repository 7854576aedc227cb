import type { ProgressUpdate } from "../../jobs/types.ts";
import { EngineError } from "../../errors.ts";
import type { TaskContext } from "../../../workers/types.ts";
import type { RunInput, RunOutput } from "./run_task.ts";

/** One run, from its first connection to its last commit. */
export function runDatabase(_input: RunInput, _context: TaskContext<ProgressUpdate>): Promise<RunOutput> {
  throw new EngineError("database-failed", "Databases cannot be synchronised yet", "The engine's part is not there.");
}
