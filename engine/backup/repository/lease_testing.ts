import type { LeaseClock } from "./lease.ts";

/** Time that stands still until a test moves it. */
export class FakeClock implements LeaseClock {
  #now = Date.parse("2026-03-01T12:00:00Z");
  readonly #timers = new Set<{ next: number; interval: number; action: () => void }>();

  now(): number {
    return this.#now;
  }

  every(interval: number, action: () => void): () => void {
    const timer = { next: this.#now + interval, interval, action };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  sleep(): Promise<void> {
    return Promise.resolve();
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** Moves on, step by step, running what is due and waiting for its effects on a store in memory. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    for (;;) {
      const due = [...this.#timers].filter(({ next }) => next <= end).sort((a, b) => a.next - b.next)[0];
      this.#now = due?.next ?? end;
      if (due === undefined) break;
      due.next += due.interval;
      due.action();
      await settle();
    }
  }

  /** As {@link advance} for a process that was stopped meanwhile: nothing runs. */
  skip(milliseconds: number): void {
    this.#now += milliseconds;
    for (const timer of this.#timers) timer.next = Math.max(timer.next, this.#now);
  }
}

/** Lets everything that waits for promises alone come to its end. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
