/** Schedules. */
import { z } from "@hono/zod-openapi";
import { describeConnection, parseConnectionString } from "../../engine/database/connection_string.ts";
import { SCHEDULED_OPERATIONS, type ScheduledOperation } from "../../engine/jobs/schedules/mod.ts";
import { BASE_PATH } from "../environment.ts";
import { Check, CreateBackupBody, Prune } from "./backup_requests.ts";
import { numberedPage, text, timestamp } from "./common.ts";
import { StartSessionBody } from "./session.ts";
import { SyncDatabaseBody } from "./sync_database.ts";
import { SyncFilesBody } from "./sync_files.ts";

/** Where each operation is asked for, what its body is, and what its data comes from. */
export const OPERATIONS: Record<ScheduledOperation, { path: string; body: z.ZodType; source: string }> = {
  "sync.files": { path: `${BASE_PATH}/sync/files`, body: SyncFilesBody, source: "sourceDirectory" },
  "sync.database": { path: `${BASE_PATH}/sync/database`, body: SyncDatabaseBody, source: "sourceConnectionString" },
  "sync.locations": { path: `${BASE_PATH}/sync/session/start`, body: StartSessionBody, source: "sourceLocation" },
  "backup.create": { path: `${BASE_PATH}/backup/create`, body: CreateBackupBody, source: "sourceDirectory" },
  "backup.prune": { path: `${BASE_PATH}/backup/prune`, body: Prune, source: "backupPath" },
  "backup.check": { path: `${BASE_PATH}/backup/check`, body: Check, source: "backupPath" },
};

const CONNECTION_STRINGS = ["sourceConnectionString", "targetConnectionString"];

/** A stored request as it may be shown: connections without their passwords. */
export function shownRequest(request: Record<string, unknown>): Record<string, unknown> {
  const shown = { ...request };
  for (const field of CONNECTION_STRINGS) {
    if (typeof shown[field] === "string") shown[field] = describeConnection(parseConnectionString(shown[field], field));
  }
  return shown;
}

const name = text(1, 128).openapi({ example: "nightly backup" });
const cron = text(1, 256).openapi({ example: "0 3 * * *", description: "Five fields, or `@daily` and its like." });
const timeZone = text(1, 64).openapi({ example: "Europe/Berlin" });
const operation = z.enum(SCHEDULED_OPERATIONS);
const request = z.record(z.string(), z.unknown()).openapi({
  description: "The body of the operation's endpoint. Answers have connections without their passwords.",
  example: { sourceDirectory: "/path/to/backup", backupPath: "/backups/location" },
});

export const CreateScheduleBody = z.strictObject({
  name,
  cron,
  timeZone: timeZone.default("UTC"),
  operation,
  request,
  enabled: z.boolean().default(true),
}).openapi("CreateScheduleRequest");

export const ChangeScheduleBody = z.strictObject({
  name: name.optional(),
  cron: cron.optional(),
  timeZone: timeZone.optional(),
  request: request.optional(),
  enabled: z.boolean().optional(),
}).openapi("ChangeScheduleRequest");

export const ScheduledRunAnswer = z.object({
  id: z.int(),
  status: z.enum(["running", "succeeded", "failed", "skipped", "interrupted"]).openapi({
    description:
      "`skipped`: the run before still ran. `interrupted`: the server stopped; it is caught up at its start.",
  }),
  plannedAt: timestamp,
  startedAt: timestamp,
  endedAt: timestamp.nullable(),
  sessionId: z.string().nullable(),
  error: z.string().nullable(),
}).openapi("ScheduledRun");

export const ScheduleAnswer = z.object({
  id: z.string(),
  name,
  cron,
  timeZone,
  operation,
  request,
  enabled: z.boolean(),
  createdAt: timestamp,
  nextRunAt: timestamp.nullable(),
  lastRun: ScheduledRunAnswer.nullable(),
  lastSuccessAt: timestamp.nullable(),
}).openapi("Schedule");

export const ScheduleListAnswer = z.object({ schedules: z.array(ScheduleAnswer), totalCount: z.int().min(0) })
  .openapi("ScheduleList");

export const ScheduledRunListAnswer = z.object({
  runs: z.array(ScheduledRunAnswer),
  nextCursor: z.string().nullable(),
}).openapi("ScheduledRunList");

export const ScheduledRunQuery = z.strictObject({
  ...numberedPage,
});
