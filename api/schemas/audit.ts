/** The audit log. */
import { z } from "@hono/zod-openapi";
import { numberedPage, text, timestamp } from "./common.ts";

export const AuditQueryParams = z.strictObject({
  ...numberedPage,
  keyId: text(1, 128).optional().openapi({ description: "Only what was done with this API key." }),
});

export const AuditAnswer = z.object({
  entries: z.array(
    z.object({
      id: z.int(),
      at: timestamp,
      keyId: z.string(),
      keyName: z.string(),
      address: z.string().openapi({ description: "Of the client, as the server saw it." }),
      method: z.string().openapi({ example: "POST" }),
      path: z.string().openapi({ example: "/api/v1/sync/files" }),
      requestId: z.string(),
      status: z.int().nullable().openapi({
        description: "Of the answer; null while there is none, and where the server died first.",
      }),
      sessionId: z.string().nullable().openapi({ description: "The session tells what was read and written." }),
    }),
  ),
  nextCursor: z.string().nullable(),
}).openapi("AuditLog");
