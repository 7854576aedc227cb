/** `POST /sync/database` and `POST /sync/database/diff`. */
import { z } from "@hono/zod-openapi";
import { text, timestamp } from "./common.ts";

const MOST_ENTITIES = 1_000;

const connectionString = text(1, 4096).openapi({
  example: "Server=source;Database=db;",
  description:
    "A URL (`postgres://user:password@host/db`, `mysql://…`, `mariadb://…`, `sqlite:/path`) or `Key=Value;…` with " +
    "`Provider` postgres (the default), mysql or sqlite.",
});
const entity = text(1, 512);

const fields = {
  sourceConnectionString: connectionString,
  targetConnectionString: connectionString.openapi({ example: "Server=target;Database=db;" }),
  entityNames: z.array(entity).min(1).max(MOST_ENTITIES)
    .refine((names) => new Set(names).size === names.length, "must not name an entity twice")
    .openapi({ example: ["Users", "Products", "Orders"], description: "Tables, as `name` or `schema.name`." }),
  direction: z.enum(["one-way", "two-way"]).default("one-way"),
  conflictStrategy: z.enum(["SourceWins", "TargetWins", "LastWriteWins", "Manual"]).default("SourceWins"),
  conflictColumn: text(1, 512).optional().openapi({
    description: "For `LastWriteWins`: the column, of every entity, that says when a row was written.",
  }),
  deleteMissingInTarget: z.boolean().default(true),
  createMissingTables: z.boolean().default(false).openapi({
    description: "Make tables that the target lacks; of a SQLite target the file too.",
  }),
  filters: z.record(entity, text(1, 65_536)).default({}).openapi({
    description: "A condition in SQL (without WHERE) for an entity, used on both sides. Needs the scope admin.",
    example: { Orders: "year = 2024" },
  }),
  columns: z.record(entity, z.array(text(1, 512)).min(1).max(5_000)).default({}).openapi({
    description: "The columns to compare and carry, key columns among them; all where an entity is not named.",
    example: { Users: ["id", "name"] },
  }),
};

interface Checked {
  entityNames: string[];
  conflictStrategy: string;
  conflictColumn?: string;
  filters: Record<string, unknown>;
  columns: Record<string, unknown>;
}

function check({ value, issues }: z.core.ParsePayload<Checked>): void {
  const complain = (field: string, message: string) => {
    issues.push({ code: "custom", message, path: [field], input: value });
  };
  if (value.conflictStrategy === "LastWriteWins" && value.conflictColumn === undefined) {
    complain("conflictColumn", "is needed for LastWriteWins");
  }
  for (const field of ["filters", "columns"] as const) {
    const unknown = Object.keys(value[field]).find((name) => !value.entityNames.includes(name));
    if (unknown !== undefined) complain(field, `names ${JSON.stringify(unknown)}, which entityNames does not`);
  }
}

export const SyncDatabaseBody = z.strictObject({
  ...fields,
  useTransactions: z.boolean().default(true).openapi({
    description: "All entities in one transaction of the target, all or nothing; else one transaction a batch.",
  }),
  dryRun: z.boolean().default(false).openapi({ description: "Answer with what would be done and change nothing." }),
  batchSize: z.int().min(1).max(100_000).default(5_000).openapi({
    description: "Rows of a batch at the most; it has fewer where they are long.",
  }),
  maxDelete: z.int().min(0).optional().openapi({
    description: "Refuse the run (409) before its first change where it would delete more rows than this.",
  }),
  sessionId: text(1, 128).optional().openapi({ description: "A session started by hand that this run joins." }),
}).check(check).openapi("SyncDatabaseRequest");

export const DiffDatabaseBody = z.strictObject({
  ...fields,
  limit: z.int().min(1).max(10_000).default(1_000).openapi({ description: "Differences a page." }),
  cursor: text(1, 128).optional().openapi({
    description: "`nextCursor` of the page before, with otherwise the same fields. Good for an hour.",
  }),
}).check(check).openapi("DiffDatabaseRequest");

const count = z.int().min(0);
const key = z.record(z.string(), z.string().nullable()).openapi({ example: { id: "42" } });

const conflict = z.object({
  entity: z.string(),
  key,
  kind: z.string().openapi({
    example: "modified-modified",
    description: "What happened on the two sides since the last run; `guard`: changed while the run went on.",
  }),
  resolution: z.enum(["source", "target", "unresolved"]),
});

const entityResult = z.object({
  entity: z.string(),
  target: z.string(),
  method: z.string().openapi({ example: "md5" }),
  sourceRows: count,
  targetRows: count,
  segments: count,
  differingSegments: count,
  inserted: count,
  updated: count,
  deleted: count,
  overwritten: count,
  conflicts: count,
  created: z.boolean(),
  notes: z.array(z.string()),
});

export const SyncDatabaseAnswer = z.object({
  success: z.boolean().openapi({ example: true }),
  changesApplied: count.openapi({ example: 1250, description: "Rows inserted, updated and deleted." }),
  conflictsEncountered: count.openapi({ example: 3 }),
  errors: z.array(z.string()).openapi({ example: [], description: '"entity (key): what went wrong"' }),
  syncedAt: timestamp,
  executionTimeMs: count.openapi({ example: 12543 }),
  sessionId: z.string(),
  dryRun: z.boolean(),
  conflicts: z.array(conflict).openapi({ description: "The first 1,000." }),
  entities: z.array(entityResult),
}).openapi("SyncDatabaseResponse");

/** A line of a diff's answer. */
export const DiffLine = z.union([
  z.object({
    entity: z.string(),
    side: z.enum(["target", "source"]),
    change: z.enum(["insert", "update", "delete"]),
    key,
    columns: z.record(z.string(), z.object({ source: z.string().nullish(), target: z.string().nullish() })),
  }),
  z.object({ summary: SyncDatabaseAnswer, totalCount: count, nextCursor: z.string().nullable() }),
]).openapi("DatabaseDifference");
