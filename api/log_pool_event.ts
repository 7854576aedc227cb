import type { PoolEvent } from "../workers/pool.ts";
import type { Logger } from "./logging.ts";

/** A line for each of the pool's events; what costs somebody a task is a warning. */
export function logPoolEvent(logger: Logger, { type, ...fields }: PoolEvent): void {
  const isLoss = type === "worker-lost" || type === "worker-start-failed";
  (isLoss ? logger.warn : logger.debug)(type.replaceAll("-", " "), fields);
}
