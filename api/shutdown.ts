/** How the server stops. */
import type { Sessions } from "../engine/jobs/mod.ts";
import type { Scheduler } from "../engine/jobs/schedules/mod.ts";
import type { Webhooks } from "../engine/jobs/webhooks/mod.ts";
import type { State } from "../engine/state/mod.ts";
import type { TaskPool } from "../workers/types.ts";
import type { Logger } from "./logging.ts";
import type { Listener } from "./serve.ts";

export interface ShutdownParts {
  listener: Listener;
  sessions: Pick<Sessions, "shutdown">;
  pool: Pick<TaskPool, "close">;
  databasePool: Pick<TaskPool, "close">;
  scheduler: Pick<Scheduler, "stop">;
  webhooks: Pick<Webhooks, "close">;
  state: Pick<State, "close">;
  logger: Logger;
  /** Fires first, so that event streams end. */
  stopping: AbortController;
}

const SESSIONS_MS = 5_000;
const ANSWERS_MS = 2_000;
const POOL_MS = 1_000;

/**
 * Stops taking requests, interrupts running operations at a safe point, lets answers go out, closes the workers and the
 * state. Every step is bounded and runs whatever became of those before; takes at most about 13 s.
 * @returns whether every step ended well.
 */
export async function shutDown(parts: ShutdownParts): Promise<boolean> {
  const { listener, sessions, pool, databasePool, scheduler, webhooks, state, logger, stopping } = parts;
  let clean = true;
  const step = async (name: string, work: () => Promise<unknown>, boundMs: number) => {
    try {
      if (await within(boundMs, work())) return;
      logger.warn("a step of the shutdown took too long", { step: name, ms: boundMs });
    } catch (error) {
      logger.error("a step of the shutdown failed", { step: name, error });
    }
    clean = false;
  };

  stopping.abort();
  const answered = listener.stop();
  const scheduled = scheduler.stop();
  await step("sessions", () => sessions.shutdown(SESSIONS_MS), SESSIONS_MS + 500);
  await step("schedules", () => scheduled, ANSWERS_MS);
  await step("answers", () => answered, ANSWERS_MS);
  await step("pool", () => Promise.all([pool.close(POOL_MS), databasePool.close(POOL_MS)]), POOL_MS + 500);
  await step("webhooks", () => webhooks.close(), ANSWERS_MS);
  await step("state", () => state.close(), ANSWERS_MS);
  return clean;
}

/** Whether the work ended in time. */
async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => timer = setTimeout(resolve, ms, false));
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
