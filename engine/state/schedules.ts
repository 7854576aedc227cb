import type { DatabaseSync, StatementSync } from "node:sqlite";
import { EngineError } from "../errors.ts";
import {
  MAX_SCHEDULES,
  type RunsQuery,
  type Schedule,
  type ScheduledRun,
  type ScheduledRunStatus,
  type ScheduleSettings,
  type ScheduleStore,
} from "../jobs/schedules/types.ts";
import type { SqlValue } from "./protocol.ts";
import type { Writer } from "./writer.ts";

/** Of each schedule. */
const KEPT_RUNS = 1_000;

const SAVE = `INSERT INTO schedules (id, name, cron, time_zone, operation, request, enabled, next_run_at, created_at)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
  WHERE (SELECT count(*) FROM schedules WHERE id <> ?1) < ${MAX_SCHEDULES}
  ON CONFLICT (id) DO UPDATE SET name = ?2, cron = ?3, time_zone = ?4, operation = ?5, request = ?6, enabled = ?7,
  next_run_at = ?8`;
const REMOVE = "DELETE FROM schedules WHERE id = ?";
const PLAN = "UPDATE schedules SET next_run_at = ?2 WHERE id = ?1";
const BEGIN = `INSERT INTO schedule_runs (schedule_id, status, planned_at, started_at, ended_at)
  SELECT id, ?2, ?3, ?4, ?5 FROM schedules WHERE id = ?1`;
const DROP_RUNS = `DELETE FROM schedule_runs WHERE id IN (SELECT id FROM schedule_runs WHERE schedule_id = ?1
  ORDER BY id DESC LIMIT 100 OFFSET ${KEPT_RUNS})`;
const END = "UPDATE schedule_runs SET status = ?2, session_id = ?3, error = ?4, ended_at = ?5 WHERE id = ?1";
const NOTE_SUCCESS = `UPDATE schedules SET last_success_at = ?2
  WHERE id = (SELECT schedule_id FROM schedule_runs WHERE id = ?1)`;
const INTERRUPT = `UPDATE schedule_runs SET status = 'interrupted', ended_at = ?1, error = 'The server stopped'
  WHERE status = 'running'`;
const MAKE_DUE = `UPDATE schedules SET next_run_at = ?1 WHERE enabled = 1 AND EXISTS (SELECT 1 FROM schedule_runs AS r
  WHERE r.id = (SELECT max(id) FROM schedule_runs WHERE schedule_id = schedules.id AND status <> 'skipped')
  AND r.status IN ('running', 'interrupted'))`;

const RUN = `id, status, planned_at AS plannedAt, started_at AS startedAt, ended_at AS endedAt, session_id AS sessionId,
  error`;
const RUNS = `SELECT ${RUN} FROM schedule_runs WHERE schedule_id = ? AND id < ? ORDER BY id DESC LIMIT ?`;
const SCHEDULE = `SELECT id, name, cron, time_zone AS timeZone, operation, request, enabled, created_at AS createdAt,
  next_run_at AS nextRunAt, last_success_at AS lastSuccessAt FROM schedules`;
const LIST = `${SCHEDULE} ORDER BY created_at, rowid`;
const FIND = `${SCHEDULE} WHERE id = ?`;

type Times<T, K extends keyof T> = Omit<T, K> & Record<K, number | null>;
type ScheduleRow =
  & Times<Omit<Schedule, "request" | "enabled" | "lastRun">, "createdAt" | "nextRunAt" | "lastSuccessAt">
  & { request: string; enabled: number };
type RunRow = Times<ScheduledRun, "plannedAt" | "startedAt" | "endedAt">;

/** The {@link ScheduleStore} in the state's database. Requests are kept as they are, connection strings in them too. */
export class SqliteScheduleStore implements ScheduleStore {
  readonly #writer: Writer;
  readonly #list: StatementSync;
  readonly #find: StatementSync;
  readonly #runs: StatementSync;

  constructor(reader: DatabaseSync, writer: Writer) {
    this.#writer = writer;
    this.#list = reader.prepare(LIST);
    this.#find = reader.prepare(FIND);
    this.#runs = reader.prepare(RUNS);
  }

  list(): Schedule[] {
    return this.#list.all().map((row) => this.#toSchedule(row as unknown as ScheduleRow));
  }

  find(id: string): Schedule | undefined {
    const row = this.#find.get(id) as unknown as ScheduleRow | undefined;
    return row && this.#toSchedule(row);
  }

  async save(id: string, settings: ScheduleSettings, nextRunAt: number | null): Promise<void> {
    const { name, cron, timeZone, operation, request, enabled } = settings;
    const parameters: SqlValue[] = [
      id,
      name,
      cron,
      timeZone,
      operation,
      JSON.stringify(request),
      enabled ? 1 : 0,
      nextRunAt,
      Date.now(),
    ];
    const [saved] = await this.#writer.write([{ sql: SAVE, parameters }]);
    if (saved === 1) return;
    const details = `There may be ${MAX_SCHEDULES}: delete one that is not needed`;
    throw new EngineError("conflict", "There are too many schedules", details);
  }

  async remove(id: string): Promise<boolean> {
    const [removed] = await this.#writer.write([{ sql: REMOVE, parameters: [id] }]);
    return removed === 1;
  }

  async begin(
    id: string,
    { status, plannedAt }: { status: "running" | "skipped"; plannedAt: number },
    nextRunAt: number | null,
  ): Promise<number> {
    const now = Date.now();
    const endedAt = status === "skipped" ? now : null;
    await this.#writer.write([
      { sql: PLAN, parameters: [id, nextRunAt] },
      { sql: BEGIN, parameters: [id, status, plannedAt, now, endedAt] },
      { sql: DROP_RUNS, parameters: [id] },
    ]);
    return this.runs({ scheduleId: id, limit: 1 })[0]?.id ?? 0;
  }

  async end(
    runId: number,
    { status, sessionId, error }: { status: ScheduledRunStatus; sessionId: string | null; error: string | null },
  ): Promise<void> {
    const now = Date.now();
    const statements = [{ sql: END, parameters: [runId, status, sessionId, error, now] as SqlValue[] }];
    if (status === "succeeded") statements.push({ sql: NOTE_SUCCESS, parameters: [runId, now] });
    await this.#writer.write(statements);
  }

  async recover(): Promise<void> {
    const now = Date.now();
    await this.#writer.write([{ sql: MAKE_DUE, parameters: [now] }, { sql: INTERRUPT, parameters: [now] }]);
  }

  runs({ scheduleId, limit, before = Number.MAX_SAFE_INTEGER }: RunsQuery): ScheduledRun[] {
    return (this.#runs.all(scheduleId, before, limit) as unknown as RunRow[]).map((row) => ({
      ...row,
      plannedAt: iso(row.plannedAt) as string,
      startedAt: iso(row.startedAt) as string,
      endedAt: iso(row.endedAt),
    }));
  }

  #toSchedule(row: ScheduleRow): Schedule {
    return {
      ...row,
      request: JSON.parse(row.request),
      enabled: row.enabled === 1,
      createdAt: iso(row.createdAt) as string,
      nextRunAt: iso(row.nextRunAt),
      lastSuccessAt: iso(row.lastSuccessAt),
      lastRun: this.runs({ scheduleId: row.id, limit: 1 })[0] ?? null,
    };
  }
}

function iso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
