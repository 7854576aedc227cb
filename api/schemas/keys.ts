/** API keys. */
import { z } from "@hono/zod-openapi";
import { text, timestamp } from "./common.ts";

export const SCOPES = ["read", "sync", "backup", "cloud", "merge", "admin"] as const;

const scopes = z.array(z.enum(SCOPES)).min(1).max(SCOPES.length)
  .refine((list) => new Set(list).size === list.length, "must not name a scope twice")
  .openapi({ example: ["read", "sync"], description: "`admin` implies all others." });

export const CreateKeyBody = z.strictObject({
  name: text(1, 128).openapi({ example: "nightly sync" }),
  scopes,
}).openapi("CreateKeyRequest");

export const KeyAnswer = z.object({
  id: z.string(),
  name: z.string().openapi({ example: "nightly sync" }),
  scopes: z.array(z.enum(SCOPES)),
  createdAt: timestamp,
  lastUsedAt: timestamp.nullable(),
}).openapi("Key");

export const CreatedKeyAnswer = KeyAnswer.extend({
  token: z.string().openapi({ description: "Shown this once; only its hash is kept." }),
}).openapi("CreatedKey");

export const KeyListAnswer = z.object({ keys: z.array(KeyAnswer), totalCount: z.int().min(0) }).openapi("KeyList");
