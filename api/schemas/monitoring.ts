/** Health and metrics. */
import { z } from "@hono/zod-openapi";
import { timestamp } from "./common.ts";

export const HealthAnswer = z.object({
  status: z.enum(["healthy", "degraded", "unhealthy"]).openapi({ example: "healthy" }),
  timestamp,
  details: z.object({
    database: z.enum(["connected", "unavailable"]).openapi({ example: "connected" }),
    storage: z.enum(["available", "low", "full", "read-only", "missing"]).openapi({ example: "available" }),
    memory: z.enum(["normal", "low"]).openapi({ example: "normal" }),
    s3: z.enum(["available", "unavailable"]).optional().openapi({ description: "Where it is configured." }),
    azure: z.enum(["available", "unavailable"]).optional(),
  }),
}).openapi("Health");

export const MetricsAnswer = z.object({
  totalSyncOperations: z.int().min(0).openapi({ example: 1542 }),
  successfulSyncs: z.int().min(0).openapi({ example: 1523 }),
  failedSyncs: z.int().min(0).openapi({ example: 19 }),
  averageSyncDuration: z.number().min(0).openapi({ example: 5234, description: "Milliseconds." }),
  totalDataTransferred: z.int().min(0).openapi({ example: 1299827200, description: "Bytes." }),
  cloudStorageUsage: z.object({
    azure: z.int().min(0).openapi({ example: 2684354560 }),
    s3: z.int().min(0).openapi({ example: 1342177280 }),
    local: z.int().min(0).openapi({ description: "What this server itself holds." }),
  }),
}).openapi("Metrics");

export const MetricsQuery = z.strictObject({
  format: z.enum(["json", "prometheus"]).optional().openapi({ description: "Default: what `Accept` prefers." }),
});

export const ProbeAnswer = z.object({ status: z.enum(["ok", "stopping"]) }).openapi("Probe");
