import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { type AppDependencies, type AppEnv, BASE_PATH } from "../environment.ts";
import type { App } from "../app.ts";
import { callerOf, needs } from "../middleware/authentication.ts";
import { partsOf, synchroniseLocations } from "../synchronise_locations.ts";
import { errorAnswers, jsonAnswer } from "../schemas/common.ts";
import {
  SessionAnswer,
  SessionListAnswer,
  SessionListQuery,
  SessionParams,
  StartSessionAnswer,
  StartSessionBody,
} from "../schemas/session.ts";

const PATH = `${BASE_PATH}/sync/session`;
const tags = ["Sessions"];

const start = createRoute({
  method: "post",
  path: `${PATH}/start`,
  summary: "Starts a synchronization session",
  description:
    "Between two registered locations it runs their synchronisation itself, and completes by itself. Otherwise operations " +
    "that carry its `sessionId` belong to it until it is completed.",
  tags,
  ...needs("sync", "backup"),
  request: { body: { required: true, content: { "application/json": { schema: StartSessionBody } } } },
  responses: { 200: jsonAnswer(StartSessionAnswer, "Started"), ...errorAnswers(400, 409, 413, 503) },
});

const status = createRoute({
  method: "get",
  path: `${PATH}/{sessionId}/status`,
  summary: "Gets session status and progress",
  tags,
  ...needs("read"),
  request: { params: SessionParams },
  responses: { 200: jsonAnswer(SessionAnswer, "The session"), ...errorAnswers(404) },
});

const complete = createRoute({
  method: "post",
  path: `${PATH}/{sessionId}/complete`,
  summary: "Completes a synchronization session",
  description: "For a session started by hand: its result sums up its operations.",
  tags,
  ...needs("sync", "backup"),
  request: { params: SessionParams },
  responses: { 200: jsonAnswer(SessionAnswer, "The session, closed"), ...errorAnswers(400, 404, 409, 503) },
});

const list = createRoute({
  method: "get",
  path: PATH,
  summary: "Lists sessions, newest first",
  description: "`result` is null in lists; a session's status has it.",
  tags,
  ...needs("read"),
  request: { query: SessionListQuery },
  responses: { 200: jsonAnswer(SessionListAnswer, "A page of sessions"), ...errorAnswers(400) },
});

const cancel = createRoute({
  method: "delete",
  path: `${PATH}/{sessionId}`,
  summary: "Cancels a session and stops its work",
  description:
    "Answers once the work has ended. What was done until then stays done and is whole, but nothing of an open transaction.",
  tags,
  ...needs("sync", "backup"),
  request: { params: SessionParams },
  responses: { 200: jsonAnswer(SessionAnswer, "The session, cancelled"), ...errorAnswers(404, 409) },
});

export function registerSessions(
  app: OpenAPIHono<AppEnv>,
  { sessions, state: { locations }, logger }: AppDependencies,
  perform: App["perform"],
): void {
  app.openapi(start, async (c) => {
    const request = c.req.valid("json");
    const key = callerOf(c.env);
    const [source, target] = [locations.find(request.sourceLocation), locations.find(request.targetLocation)];
    const parts = source && target && partsOf(source, target, request);
    const kind = parts === undefined ? "manual" : "sync.locations";
    const session = await sessions.startManual({ ...request, keyId: key.id, kind });
    c.env.sessionId = session.sessionId;
    if (parts !== undefined) {
      synchroniseLocations(session, parts, key, sessions, perform)
        .catch((error) => logger.error("a session between locations failed", { sessionId: session.sessionId, error }));
    }
    const { sessionId, createdAt: startedAt, sourceIdentifier, targetIdentifier, status } = session;
    return c.json({ sessionId, startedAt, sourceIdentifier, targetIdentifier, status }, 200);
  });
  app.openapi(status, async (c) => c.json(await sessions.get(c.req.valid("param").sessionId), 200));
  app.openapi(complete, async (c) => c.json(await sessions.complete(c.req.valid("param").sessionId), 200));
  app.openapi(list, async (c) => c.json(await sessions.list(c.req.valid("query")), 200));
  app.openapi(cancel, async (c) => c.json(await sessions.cancel(c.req.valid("param").sessionId), 200));
}
