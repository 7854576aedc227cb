import { createRoute, type OpenAPIHono, type z } from "@hono/zod-openapi";
import {
  type DatabaseDiff,
  describeConnection,
  type SyncDatabaseRequest,
  type SyncDatabaseResult,
} from "../../engine/database/mod.ts";
import type { RunOutcome } from "../../engine/jobs/mod.ts";
import { resolveConnection } from "../database_connections.ts";
import { type AppDependencies, type AppEnv, BASE_PATH, type Exchange } from "../environment.ts";
import { ApiError } from "../errors.ts";
import { callerOf, needs } from "../middleware/authentication.ts";
import { prefersAsync } from "../prefer.ts";
import { answerSession, runOperation } from "../run_operation.ts";
import { errorAnswers, jsonAnswer } from "../schemas/common.ts";
import { SessionAnswer } from "../schemas/session.ts";
import { DiffDatabaseBody, DiffLine, SyncDatabaseAnswer, SyncDatabaseBody } from "../schemas/sync_database.ts";
import { streamAnswer } from "../stream_answer.ts";

const PATH = `${BASE_PATH}/sync/database`;
const common = { tags: ["Synchronization"], ...needs("sync") };

const sync = createRoute({
  ...common,
  method: "post",
  path: PATH,
  summary: "Synchronizes database entities between two servers",
  description:
    "Makes tables of the target agree with those of the source; both may be of any of the engines. Values travel exactly, or " +
    "the run says which cannot. With `Prefer: respond-async` the answer comes at once and the work goes on as a session.",
  request: { body: { required: true, content: { "application/json": { schema: SyncDatabaseBody } } } },
  responses: {
    200: jsonAnswer(SyncDatabaseAnswer, "Done; `success` is false where some rows failed"),
    202: jsonAnswer(SessionAnswer, "Started; `Location` tells where to ask for its status"),
    ...errorAnswers(400, 404, 409, 413, 503),
  },
});

const diff = createRoute({
  ...common,
  method: "post",
  path: `${PATH}/diff`,
  summary: "Shows row by row what a synchronisation would change",
  description:
    "Lines of JSON, one a difference. The last line of a page has the run's `summary`, the `totalCount` of differences and the " +
    "`nextCursor`, null on the last page; where it is missing the answer broke off. Writes to neither database. With " +
    "`Prefer: respond-async` the answer comes at once, and the `nextCursor` in the session's `result` leads to the first page.",
  request: { body: { required: true, content: { "application/json": { schema: DiffDatabaseBody } } } },
  responses: {
    200: { description: "A page", content: { "application/x-ndjson": { schema: DiffLine } } },
    202: jsonAnswer(SessionAnswer, "Started; `Location` tells where to ask for its status"),
    ...errorAnswers(400, 404, 409, 413, 503),
  },
});

type Fields = Omit<z.infer<typeof SyncDatabaseBody>, "sessionId">;

export function registerSyncDatabase(app: OpenAPIHono<AppEnv>, dependencies: AppDependencies): void {
  const { sessions, databases } = dependencies;

  app.openapi(sync, async (c) => {
    const { sessionId: parentId, ...fields } = c.req.valid("json");
    const request = await toRequest(c.env, fields, dependencies);
    return await runOperation(c, sessions, {
      kind: "sync.database",
      ...identifiers(request),
      parentId,
      outcome,
    }, (job) => databases.sync(request, job));
  });

  app.openapi(diff, async (c) => {
    const { limit, cursor, ...fields } = c.req.valid("json");
    const request = await toRequest(c.env, { ...fields, ...DIFF }, dependencies);
    let page: DatabaseDiff | undefined;
    if (cursor === undefined) {
      const isAsync = prefersAsync(c.req.header("prefer"));
      const run = await sessions.run({
        kind: "sync.database.diff",
        ...identifiers(request),
        keyId: callerOf(c.env).id,
        outcome: ({ summary }: { summary: SyncDatabaseResult }) => ({ ...outcome(summary), changesApplied: 0 }),
      }, async (job) => {
        page = await databases.diff(request, job, limit);
        const { summary, totalCount } = page;
        return { summary, totalCount, nextCursor: isAsync ? page.cursor : page.nextCursor };
      });
      if (isAsync) return answerSession(c, run.session);
      c.env.sessionId = run.session.sessionId;
      await run.done;
    } else page = await databases.nextDiffPage(request, { limit, cursor });
    const body = ReadableStream.from(lines(page as DatabaseDiff));
    return await streamAnswer(c, body, 200, { "Content-Type": "application/x-ndjson" }, dependencies);
  });
}

/** What a diff has no use for. */
const DIFF = { useTransactions: true, dryRun: true, batchSize: 1_000 };
const BATCH_CHARACTERS = 64 * 1024;

async function* lines({ differences, cursor: _, ...last }: DatabaseDiff): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let text = "";
  for await (const difference of differences()) {
    text += `${JSON.stringify(difference)}\n`;
    if (text.length < BATCH_CHARACTERS) continue;
    yield encoder.encode(text);
    text = "";
  }
  yield encoder.encode(`${text}${JSON.stringify(last)}\n`);
}

async function toRequest(exchange: Exchange, fields: Fields, { paths }: AppDependencies): Promise<SyncDatabaseRequest> {
  const { sourceConnectionString, targetConnectionString, ...options } = fields;
  if (Object.keys(fields.filters).length > 0 && !callerOf(exchange).scopes.includes("admin")) {
    const details = '"filters" are conditions in SQL, which need an API key with the scope admin.';
    throw new ApiError(403, "FORBIDDEN", "Insufficient permissions", details);
  }
  const createFile = fields.createMissingTables;
  return {
    ...options,
    source: await resolveConnection("sourceConnectionString", sourceConnectionString, { paths, createFile: false }),
    target: await resolveConnection("targetConnectionString", targetConnectionString, { paths, createFile }),
  };
}

function identifiers({ source, target }: SyncDatabaseRequest) {
  return { sourceIdentifier: describeConnection(source), targetIdentifier: describeConnection(target) };
}

function outcome({ success, changesApplied, conflictsEncountered, errors }: SyncDatabaseResult): RunOutcome {
  return { success, changesApplied, conflictsEncountered, errors, bytesTransferred: 0 };
}
