/** What the server tells Prometheus. */
import { Gauge, Registry } from "prom-client";
import type { Sessions } from "../engine/jobs/mod.ts";
import type { Schedule, Scheduler } from "../engine/jobs/schedules/mod.ts";
import type { BackupStore } from "../engine/state/mod.ts";
import type { PoolStats, TaskPool } from "../workers/types.ts";
import { OPERATIONS, shownRequest } from "./schemas/schedules.ts";
import { RequestDurations } from "./request_durations.ts";

export interface PrometheusSources {
  sessions: Pick<Sessions, "totals" | "activeCount">;
  pool: Pick<TaskPool, "stats">;
  backups: Pick<BackupStore, "list">;
  schedules: Pick<Scheduler, "list">;
}

export class PrometheusMetrics {
  readonly #registry = new Registry();
  readonly #requests = new RequestDurations();

  constructor({ sessions, pool, backups, schedules }: PrometheusSources) {
    this.#gauge("syncline_sessions_active", "Operations that run now", () => sessions.activeCount());
    const totals = <T>(name: string, help: string, pick: (metrics: ReturnType<Sessions["totals"]>) => number) =>
      this.#gauge(name, help, () => pick(sessions.totals()));
    totals("syncline_sync_operations_total", "Operations that ended", (metrics) => metrics.totalSyncOperations);
    totals("syncline_sync_successful_total", "Operations that succeeded", (metrics) => metrics.successfulSyncs);
    totals("syncline_sync_failed_total", "Operations that did not", (metrics) => metrics.failedSyncs);
    totals("syncline_transferred_bytes_total", "Bytes copied", (metrics) => metrics.totalDataTransferred);
    totals(
      "syncline_sync_duration_seconds_average",
      "Mean duration of an operation",
      (metrics) => metrics.averageSyncDuration / 1000,
    );
    this.#backups(backups);
    this.#schedules(schedules);
    const stats: Record<keyof PoolStats, string> = {
      workers: "Workers of the pool",
      busy: "Workers that run a task",
      queued: "Tasks that wait for a worker",
      replaced: "Workers replaced after a crash or a hang",
      abandoned: "Workers that hang in a system call and cannot be ended",
      tasksCompleted: "Tasks that ended well",
      tasksFailed: "Tasks that failed",
    };
    for (const name of Object.keys(stats) as (keyof PoolStats)[]) {
      const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      this.#gauge(`syncline_pool_${snake}`, stats[name], () => pool.stats()[name]);
    }
    this.#gauge("process_resident_memory_bytes", "Resident memory", () => Deno.memoryUsage().rss);
    this.#gauge("process_heap_bytes", "JavaScript heap of the main thread", () => Deno.memoryUsage().heapUsed);
    const startedAt = (Date.now() - performance.now()) / 1000;
    this.#gauge("process_start_time_seconds", "Start, in seconds since the epoch", () => startedAt);
  }

  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;

  /** Counts one answered request. `route` is a route's pattern, never a client's path. */
  observe(method: string, route: string, status: number, ms: number): void {
    this.#requests.observe(method, route, status, ms);
  }

  /** Everything in the Prometheus text format. */
  async text(): Promise<string> {
    return `${await this.#registry.metrics()}\n${this.#requests.text()}`;
  }

  #backups(backups: Pick<BackupStore, "list">): void {
    const labelNames = ["source", "repository"] as const;
    new Gauge({
      name: "syncline_backup_last_success_timestamp_seconds",
      help: "When the source's last complete backup ended, in seconds since the epoch",
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const { source, repository, lastSuccessAt } of backups.list()) {
          if (lastSuccessAt !== null) this.set({ source, repository }, lastSuccessAt / 1000);
        }
      },
    });
    new Gauge({
      name: "syncline_backup_stored_bytes_total",
      help: "Bytes that the source's backups added to the repository",
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const { source, repository, storedBytes } of backups.list()) this.set({ source, repository }, storedBytes);
      },
    });
  }

  #schedules(schedules: Pick<Scheduler, "list">): void {
    const labelNames = ["id", "schedule", "operation", "source"] as const;
    const gauge = (name: string, help: string, pick: (schedule: Schedule) => string | null) =>
      new Gauge({
        name,
        help,
        labelNames,
        registers: [this.#registry],
        collect() {
          this.reset();
          for (const schedule of schedules.list()) {
            const time = pick(schedule);
            const { id, name, operation, request } = schedule;
            const source = String(shownRequest(request)[OPERATIONS[operation].source]);
            if (time !== null) this.set({ id, schedule: name, operation, source }, Date.parse(time) / 1000);
          }
        },
      });
    gauge(
      "syncline_schedule_last_success_timestamp_seconds",
      "When the schedule's last run that succeeded ended, in seconds since the epoch",
      ({ lastSuccessAt }) => lastSuccessAt,
    );
    gauge(
      "syncline_schedule_next_run_timestamp_seconds",
      "When the schedule runs next, in seconds since the epoch",
      ({ nextRunAt }) => nextRunAt,
    );
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read());
      },
    });
  }
}
