/** What requests about backups say. */
import { z } from "@hono/zod-openapi";
import { localPath, text } from "./common.ts";

const CLOUD = /^(?:s3|azure):\/\/[^/]/;

/** Whether it may be used is for `PathGuard` to say, and for the configuration where it is in a cloud. */
const backupPath = z.string()
  .refine((path) => path.startsWith("/") || CLOUD.test(path), {
    error: "must be an absolute path, s3://bucket/prefix or azure://container/prefix",
    abort: true,
  })
  .pipe(z.union([localPath, text(1, 4096).regex(CLOUD)]))
  .openapi({ type: "string", example: "/backups/location", description: "The repository." });

const sourceDirectory = localPath.openapi({ example: "/path/to/backup" });
const restorePath = localPath.openapi({ example: "/restore/location" });
const sessionId = text(1, 128).optional().openapi({ description: "A session started by hand that this run joins." });

/** Bytes that are no UTF-8 are U+DC80 to U+DCFF, one each, in answers and so in requests. */
const BROKEN = /[\ud800-\udbff][\udc00-\udfff]|[\udc80-\udcff]/g;

/** A path within a version, brought to its plain form: no slash at its ends, none doubled. */
export const versionPath = z.string().max(4096)
  .refine((path) => path.replace(BROKEN, "").isWellFormed() && !path.includes("\0"), "must be a path without NUL")
  .refine((path) => !path.split("/").includes(".."), "must not have .. in it")
  .transform((path) => path.split("/").filter((part) => part !== "" && part !== ".").join("/"))
  .openapi({ type: "string", description: "Below the source." });

/** Where there is a version, it is a UUID; another text merely names none. */
const versionId = text(1, 128).openapi({ example: "550e8400-e29b-41d4-a716-446655440000" });

/** `2024-01-15`, `2024-01-15T10:30:00Z`, `…+02:00`; a query's `+` arrives as a space. Without an offset it is UTC. */
const ISO_TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)(Z|[+ -]\d\d:?\d\d)?)?$/i;

const pointInTime = z.string()
  .transform((given) => parseTime(given))
  .refine((time) => !Number.isNaN(time.getTime()), "must be an ISO 8601 date and time, such as 2024-01-15T10:30:00Z")
  .openapi({ type: "string", format: "date-time", example: "2024-01-15T10:30:00Z" });

function parseTime(given: string): Date {
  const [, date, time = "00:00", zone = "Z"] = ISO_TIME.exec(given) ?? [];
  if (date === undefined) return new Date(NaN);
  const offset = /^z$/i.test(zone) ? "Z" : `${zone[0] === " " ? "+" : zone[0]}${zone.slice(1, 3)}:${zone.slice(-2)}`;
  return new Date(`${date}T${time.replace(",", ".")}${offset}`);
}

export const CreateBackupBody = z.strictObject({
  sourceDirectory,
  backupPath,
  isFullBackup: z.boolean().default(false).openapi({
    description: "Read every file again; otherwise unchanged ones are taken from the newest version of this source.",
  }),
  description: text(0, 4096).default("").openapi({ example: "Incremental backup of application data" }),
  excludePatterns: z.array(text(1, 4096)).max(10_000).default([]).openapi({
    example: ["*.tmp"],
    description: "Patterns as in .gitignore.",
  }),
  sessionId,
}).openapi("CreateBackupRequest");

const how = {
  paths: z.array(versionPath).max(10_000).default([]).openapi({
    description: "Only these; a directory stands for what is in it. Each keeps its path. Empty: everything.",
  }),
  overwrite: z.boolean().default(true).openapi({ description: "Replace what is there and differs." }),
  deleteExtra: z.boolean().default(false).openapi({ description: "Remove what the version does not have." }),
  dryRun: z.boolean().default(false).openapi({ description: "Answer with the figures and touch nothing." }),
  verify: z.boolean().default(false).openapi({ description: "Read back every restored file and compare." }),
};

export const RestoreBody = z.strictObject({ backupPath, versionId, restorePath, ...how, sessionId })
  .openapi("RestoreRequest");

export const PointInTime = z.strictObject({ backupPath, pointInTime, restorePath, ...how, sessionId });

const retention = {
  retentionDays: z.number().min(0).max(1_000_000).optional().openapi({
    example: 30,
    description: "Versions younger than this stay.",
  }),
  ...Object.fromEntries(
    ["keepLast", "keepHourly", "keepDaily", "keepWeekly", "keepMonthly", "keepYearly"].map((
      name,
    ) => [name, z.int().min(0).max(1_000_000).optional()]),
  ) as Record<
    "keepLast" | "keepHourly" | "keepDaily" | "keepWeekly" | "keepMonthly" | "keepYearly",
    z.ZodOptional<z.ZodInt>
  >,
};

const ANY_RULE = "Name at least one rule of what to keep, such as retentionDays: without one only the newest version " +
  "of each source would stay";

export const Prune = z.strictObject({ backupPath, ...retention, dryRun: z.boolean().default(false), sessionId })
  .refine((request) => Object.keys(retention).some((name) => request[name as keyof typeof retention] !== undefined), {
    error: ANY_RULE,
    path: ["retentionDays"],
  });

export const Check = z.strictObject({
  backupPath,
  readData: z.boolean().default(false).openapi({ description: "Read all data, not only what describes it." }),
  subset: z.number().min(1).max(100).default(100).openapi({
    description: "With `readData`: the percentage of packs to read, chosen at random each time.",
  }),
  sessionId,
});

export const Repair = z.strictObject({ backupPath, dryRun: z.boolean().default(false), sessionId });

export const VersionsQuery = z.strictObject({ backupPath });

export const VersionParams = z.object({
  id: versionId.openapi({ param: { name: "id", in: "path" } }),
});

export const DiffParams = VersionParams.extend({
  other: versionId.openapi({ param: { name: "other", in: "path" } }),
});

export const EntryQuery = z.strictObject({ backupPath, path: versionPath.default("") });

export const BrowseQuery = EntryQuery.extend({
  limit: z.string().regex(/^\d{1,5}$/, "must be a whole number").transform(Number)
    .refine((limit) => limit >= 1 && limit <= 10_000, "must be from 1 to 10000")
    .default(1_000).openapi({ type: "integer" }),
  cursor: z.string().min(1).max(255).optional().openapi({ description: "`nextCursor` of the page before." }),
});
