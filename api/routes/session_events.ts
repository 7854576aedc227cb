import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { type AppDependencies, type AppEnv, BASE_PATH } from "../environment.ts";
import { invalidRequest } from "../errors.ts";
import { eventStream } from "../event_stream.ts";
import { needs } from "../middleware/authentication.ts";
import { errorAnswers } from "../schemas/common.ts";
import { SessionEventsQuery, SessionParams } from "../schemas/session.ts";

const route = createRoute({
  method: "get",
  path: `${BASE_PATH}/sync/session/{sessionId}/events`,
  summary: "Streams a session's progress as server-sent events",
  description:
    "`progress` events, then one of `completed`, `failed`, `cancelled`, `interrupted`, after which the stream ends. " +
    "Each carries the session as JSON. `Last-Event-ID` replays what came after that event.",
  tags: ["Sessions"],
  ...needs("read"),
  request: { params: SessionParams, query: SessionEventsQuery },
  responses: {
    200: { description: "The events", content: { "text/event-stream": { schema: z.string() } } },
    ...errorAnswers(400, 404),
  },
});

export function registerSessionEvents(
  app: OpenAPIHono<AppEnv>,
  { sessions, stopping, logger }: AppDependencies,
): void {
  app.openapi(route, async (c) => {
    const { sessionId } = c.req.valid("param");
    const lastEventId = parseLastEventId(c.req.header("last-event-id")) ?? c.req.valid("query").lastEventId;
    const { requestId } = c.env;
    const body = eventStream({
      events: (signal) => sessions.events(sessionId, { lastEventId, signal }),
      stopping,
      onError: (error) => logger.error("an event stream failed", { requestId, sessionId, error }),
    });
    c.header("X-Accel-Buffering", "no");
    const headers = { "Content-Type": "text/event-stream; charset=utf-8" };
    if (c.req.method !== "HEAD") return c.body(body, 200, headers);
    // Hono would drop it and leave it open, with its listener.
    await body.cancel();
    return c.body(null, 200, headers);
  });
}

function parseLastEventId(header: string | undefined): number | undefined {
  if (header === undefined || header === "") return undefined;
  if (/^\d{1,15}$/.test(header)) return Number(header);
  throw invalidRequest("Last-Event-ID must be the id of an event of this stream.");
}
