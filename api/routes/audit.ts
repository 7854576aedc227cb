import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { AuditStore } from "../../engine/state/mod.ts";
import { type AppEnv, BASE_PATH } from "../environment.ts";
import { needs } from "../middleware/authentication.ts";
import { AuditAnswer, AuditQueryParams } from "../schemas/audit.ts";
import { cursorAfter, errorAnswers, jsonAnswer } from "../schemas/common.ts";

const list = createRoute({
  method: "get",
  path: `${BASE_PATH}/audit`,
  summary: "Lists who did what, newest first",
  description:
    "Every request with a valid key that could change something is recorded before it is carried out, those that were " +
    "refused too. Kept for a year, at most the newest 100,000.",
  tags: ["Keys"],
  ...needs("admin"),
  request: { query: AuditQueryParams },
  responses: { 200: jsonAnswer(AuditAnswer, "A page of the log"), ...errorAnswers(400) },
});

export function registerAudit(app: OpenAPIHono<AppEnv>, store: AuditStore): void {
  app.openapi(list, (c) => {
    const { limit, cursor: before, keyId } = c.req.valid("query");
    const entries = store.list({ limit, before, keyId });
    return c.json({ entries, nextCursor: cursorAfter(entries, limit) }, 200);
  });
}
