/** Locations: named ends of synchronisations. */
import { z } from "@hono/zod-openapi";
import { localPath, text, timestamp } from "./common.ts";

const name = text(1, 128).openapi({ example: "System1" });

export const RegisterLocationBody = z.strictObject({
  name,
  directory: localPath.optional().openapi({ example: "/path/to/source" }),
  database: z.strictObject({
    connectionString: text(1, 4096).openapi({ example: "postgres://user:password@host/db" }),
    entityNames: z.array(text(1, 512)).min(1).max(1_000).openapi({
      example: ["Users", "Orders"],
      description: "What is synchronised where this location is the source.",
    }),
  }).optional(),
}).refine(({ directory, database }) => directory !== undefined || database !== undefined, {
  error: "must have a directory, a database or both",
}).openapi("RegisterLocationRequest");

export const LocationAnswer = z.object({
  name,
  directory: z.string().nullable(),
  database: z.object({
    connection: z.string().openapi({ description: "Without its password." }),
    entityNames: z.array(z.string()),
  }).nullable(),
  createdAt: timestamp,
}).openapi("Location");

export const LocationListAnswer = z.object({ locations: z.array(LocationAnswer), totalCount: z.int().min(0) })
  .openapi("LocationList");

export const LocationParams = z.object({
  name: z.string().min(1).max(512).openapi({ param: { name: "name", in: "path" } }),
});
