import { randomUUID } from "node:crypto";
import type { Report } from "../../state/report.ts";
import { nextTime } from "./cron.ts";
import type {
  RunsQuery,
  Schedule,
  ScheduledRun,
  ScheduledRunStatus,
  ScheduleSettings,
  ScheduleStore,
} from "./types.ts";

/** How a run went. */
export interface PerformOutcome {
  status: Exclude<ScheduledRunStatus, "running" | "skipped">;
  sessionId: string | null;
  error: string | null;
}

/** Carries an operation out. Never rejects. */
export type Perform = (schedule: Schedule) => Promise<PerformOutcome>;

/** A timer's longest wait: clocks are set, and machines sleep. */
const MAX_WAIT_MS = 60_000;
const RETRY_MS = 5_000;

/** Starts what is due. A run that was missed, however often, is caught up once; a schedule never overlaps with itself. */
export class Scheduler {
  readonly #store: ScheduleStore;
  readonly #report: Report;
  readonly #running = new Map<string, Promise<void>>();
  #perform: Perform | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ticking: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(store: ScheduleStore, report: Report) {
    this.#store = store;
    this.#report = report;
  }

  /** From now on what is due is carried out, by this. */
  async start(perform: Perform): Promise<void> {
    await this.#store.recover();
    this.#perform = perform;
    this.#wake();
  }

  list(): Schedule[] {
    return this.#store.list();
  }

  find(id: string): Schedule | undefined {
    return this.#store.find(id);
  }

  runs(query: RunsQuery): ScheduledRun[] {
    return this.#store.runs(query);
  }

  /**
   * Stores a new schedule, or new settings of one that is there; its next run is planned anew from now.
   * @throws EngineError `conflict` where there are too many
   */
  async save(settings: ScheduleSettings, id = `schedule-${randomUUID()}`): Promise<Schedule> {
    // Not while runs are being started: that would plan the next one by the settings before.
    const saved = this.#ticking.then(() => this.#store.save(id, settings, this.#next(settings, Date.now())));
    this.#ticking = saved.catch(() => {});
    await saved;
    this.#wake();
    return this.#store.find(id) as Schedule;
  }

  /** A run that is under way goes on. False where there is no such schedule. */
  remove(id: string): Promise<boolean> {
    return this.#store.remove(id);
  }

  /** Starts nothing more, and waits for what runs to end: the one who stops the server ends that. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#ticking;
    await Promise.all(this.#running.values());
  }

  #next({ cron, timeZone, enabled }: ScheduleSettings, after: number): number | null {
    return enabled ? nextTime(cron, timeZone, after) : null;
  }

  #wake(): void {
    this.#ticking = this.#ticking.then(() => this.#tick()).catch((error) => {
      this.#report("Cannot start what is scheduled; it is tried again", error);
      this.#wait(RETRY_MS);
    });
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => this.#wake(), Math.min(ms, MAX_WAIT_MS));
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  async #tick(): Promise<void> {
    if (this.#perform === undefined || this.#isStopped) return;
    let nextAt = Infinity;
    for (const { id } of this.#store.list()) {
      const schedule = this.#store.find(id);
      if (!schedule?.nextRunAt) continue;
      const plannedAt = Date.parse(schedule.nextRunAt);
      const now = Date.now();
      const following = plannedAt > now ? plannedAt : this.#next(schedule, now);
      if (plannedAt <= now) await this.#begin(schedule, plannedAt, following, this.#perform);
      if (following !== null) nextAt = Math.min(nextAt, following);
    }
    if (nextAt < Infinity) this.#wait(nextAt - Date.now());
  }

  async #begin(schedule: Schedule, plannedAt: number, following: number | null, perform: Perform): Promise<void> {
    const status = this.#running.has(schedule.id) ? "skipped" : "running";
    const runId = await this.#store.begin(schedule.id, { status, plannedAt }, following);
    if (status === "skipped") return;
    const done = perform(schedule)
      .then((outcome) => this.#store.end(runId, outcome))
      // What has no end on disk is `interrupted` after the next start.
      .catch((error) => this.#report(`Cannot store the end of a run of ${schedule.id}`, error))
      .finally(() => this.#running.delete(schedule.id));
    this.#running.set(schedule.id, done);
  }
}
