import type { Report } from "../state/report.ts";

const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 10_000;

/** Repeats writes that failed, in the background, until they succeed or the server stops. */
export class BackgroundRetry {
  readonly #report: Report;
  readonly #running = new Set<Promise<void>>();
  readonly #stop = Promise.withResolvers<void>();
  #isStopped = false;

  constructor(report: Report) {
    this.#report = report;
  }

  /** Takes an action that has just failed and that may be repeated. */
  add(what: string, action: () => Promise<void>, error: unknown): void {
    this.#report(`${what}; it is tried again`, error);
    const run = this.#repeat(what, action).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  /** Tries each once more, then gives up. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stop.resolve();
    await Promise.all(this.#running);
  }

  async #repeat(what: string, action: () => Promise<void>): Promise<void> {
    for (let delayMs = FIRST_DELAY_MS;; delayMs = Math.min(2 * delayMs, LAST_DELAY_MS)) {
      await this.#pause(delayMs);
      const isLast = this.#isStopped;
      try {
        return await action();
      } catch (error) {
        if (isLast) return this.#report(`${what}, and the server stops`, error);
      }
    }
  }

  async #pause(delayMs: number): Promise<void> {
    if (this.#isStopped) return;
    const elapsed = Promise.withResolvers<void>();
    const timer = setTimeout(elapsed.resolve, delayMs);
    await Promise.race([elapsed.promise, this.#stop.promise]);
    clearTimeout(timer);
  }
}
