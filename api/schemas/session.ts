/** Sessions: runs of operations, and groups of them that a client opens by hand. */
import { z } from "@hono/zod-openapi";
import { text, timestamp } from "./common.ts";

const SESSION_EXAMPLE = "session-12345";

const status = z.enum(["pending", "in-progress", "completed", "failed", "cancelled", "interrupted"]);

const options = z.record(z.string(), z.unknown()).default({});

export const StartSessionBody = z.strictObject({
  sourceLocation: text(1, 4096).openapi({ example: "System1" }),
  targetLocation: text(1, 4096).openapi({ example: "System2" }),
  syncType: text(1, 64).openapi({
    example: "Full",
    description:
      "Between registered locations `Full` (reads back what was written), `Incremental`, `Files` or `Database`.",
  }),
  files: options.openapi({ description: "Further fields for `/sync/files`, between registered locations." }),
  database: options.openapi({ description: "Further fields for `/sync/database`, between registered locations." }),
}).openapi("StartSessionRequest");

export type StartedSync = z.infer<typeof StartSessionBody>;

export const StartSessionAnswer = z.object({
  sessionId: z.string().openapi({ example: SESSION_EXAMPLE }),
  startedAt: timestamp,
  sourceIdentifier: z.string().openapi({ example: "System1" }),
  targetIdentifier: z.string().openapi({ example: "System2" }),
  status,
}).openapi("StartSessionResponse");

export const SessionAnswer = z.object({
  sessionId: z.string().openapi({ example: SESSION_EXAMPLE }),
  status: status.openapi({ example: "in-progress" }),
  progressPercentage: z.number().min(0).max(100).openapi({ example: 65 }),
  message: z.string().openapi({ example: "Processing database entities" }),
  result: z.any().openapi({ description: "The operation's own answer; null until it ended well.", example: null }),
  createdAt: timestamp,
  completedAt: timestamp.nullable().openapi({ example: null }),
  kind: z.string().openapi({ example: "sync.files" }),
  sourceIdentifier: z.string(),
  targetIdentifier: z.string(),
  syncType: z.string().nullable(),
  progress: z.record(z.string(), z.number()),
  error: z.object({ errorCode: z.string(), message: z.string(), details: z.string() }).nullable(),
  parentId: z.string().nullable(),
  keyId: z.string().nullable(),
}).openapi("Session");

export const SessionParams = z.object({
  sessionId: z.string().min(1).max(128).openapi({ param: { name: "sessionId", in: "path" }, example: SESSION_EXAMPLE }),
});

export const SessionListQuery = z.strictObject({
  limit: z.string().regex(/^\d{1,4}$/, "must be a whole number").transform(Number)
    .refine((limit) => limit >= 1 && limit <= 200, "must be from 1 to 200")
    .default(50).openapi({ type: "integer", example: 50 }),
  cursor: text(1, 512).optional().openapi({ description: "`nextCursor` of the page before." }),
  status: status.optional(),
});

export const SessionListAnswer = z.object({
  sessions: z.array(SessionAnswer),
  totalCount: z.int().min(0),
  nextCursor: z.string().nullable(),
}).openapi("SessionList");

export const SessionEventsQuery = z.strictObject({
  lastEventId: z.string().regex(/^\d{1,15}$/, "must be an event's id").transform(Number).optional().openapi({
    type: "integer",
    description: "Replay what came after this event; the header Last-Event-ID says the same.",
  }),
});
