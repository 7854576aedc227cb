/** Operations that run by themselves at planned times. */

export const SCHEDULED_OPERATIONS = [
  "sync.files",
  "sync.database",
  "sync.locations",
  "backup.create",
  "backup.prune",
  "backup.check",
] as const;

export type ScheduledOperation = typeof SCHEDULED_OPERATIONS[number];

export interface ScheduleSettings {
  name: string;
  /** Five fields (minute, hour, day of the month, month, day of the week) or `@daily` and its like. */
  cron: string;
  /** An IANA time zone in which the expression is meant. */
  timeZone: string;
  operation: ScheduledOperation;
  /** The body of the operation's endpoint. */
  request: Record<string, unknown>;
  enabled: boolean;
}

export interface Schedule extends ScheduleSettings {
  id: string;
  /** ISO 8601 UTC, as all times here. */
  createdAt: string;
  /** Null where it is disabled or its expression never comes true again. In the past: missed, and about to be caught up. */
  nextRunAt: string | null;
  lastRun: ScheduledRun | null;
  lastSuccessAt: string | null;
}

/**
 * - `skipped`: the run before still ran.
 * - `interrupted`: the server stopped or died; it is caught up after the next start.
 */
export type ScheduledRunStatus = "running" | "succeeded" | "failed" | "skipped" | "interrupted";

export interface ScheduledRun {
  id: number;
  status: ScheduledRunStatus;
  /** When it should have started: a run that was missed starts later. */
  plannedAt: string;
  startedAt: string;
  endedAt: string | null;
  sessionId: string | null;
  /** Why it did not succeed. */
  error: string | null;
}

export interface RunsQuery {
  scheduleId: string;
  /** 1 to 1,000. */
  limit: number;
  /** Only those with a smaller id. */
  before?: number;
}

/** Schedules and their runs on disk. Reads are synchronous; writes resolve once they are on disk. */
export interface ScheduleStore {
  /** Oldest first, at most {@link MAX_SCHEDULES}. */
  list(): Schedule[];
  find(id: string): Schedule | undefined;
  /** Stores a new schedule or new settings of one. */
  save(id: string, settings: ScheduleSettings, nextRunAt: number | null): Promise<void>;
  /** With its history; false where there is none. */
  remove(id: string): Promise<boolean>;
  /** Stores the next run's time and the begin of one (or its omission), all or none; its id. */
  begin(
    id: string,
    run: { status: "running" | "skipped"; plannedAt: number },
    nextRunAt: number | null,
  ): Promise<number>;
  end(
    runId: number,
    end: { status: ScheduledRunStatus; sessionId: string | null; error: string | null },
  ): Promise<void>;
  /** Ends as `interrupted` what a dead process left running, and makes it due again. Called once, at the start. */
  recover(): Promise<void>;
  /** Newest first. */
  runs(query: RunsQuery): ScheduledRun[];
}

export const MAX_SCHEDULES = 1_000;
