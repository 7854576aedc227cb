import { logPoolEvent } from "../api/log_pool_event.ts";
import type { Logger } from "../api/logging.ts";
import { lazyPool } from "../workers/lazy_pool.ts";
import { createPool } from "../workers/pool.ts";
import type { TaskPool } from "../workers/types.ts";

/** SQLite works in the thread itself, and some of its statements take long. */
const STUCK_MS = 600_000;

/** Workers for synchronisations of databases: so many run at once; more wait. */
export function createDatabasePool(size: number, logger: Logger): TaskPool {
  return lazyPool(size, () => {
    const entry = new URL("../workers/database_worker.ts", import.meta.url);
    return createPool({ entry, size, stuckAfterMs: STUCK_MS, onEvent: (event) => logPoolEvent(logger, event) });
  });
}
