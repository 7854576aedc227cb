import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { SyncFilesRequest, SyncFilesResult } from "../../engine/files/types.ts";
import type { RunOutcome } from "../../engine/jobs/mod.ts";
import { type AppDependencies, type AppEnv, BASE_PATH } from "../environment.ts";
import { needs } from "../middleware/authentication.ts";
import { runOperation } from "../run_operation.ts";
import { errorAnswers, jsonAnswer } from "../schemas/common.ts";
import { SessionAnswer } from "../schemas/session.ts";
import { SyncFilesAnswer, SyncFilesBody } from "../schemas/sync_files.ts";

const route = createRoute({
  method: "post",
  path: `${BASE_PATH}/sync/files`,
  summary: "Synchronizes files between two locations",
  description:
    "Makes `targetDirectory` agree with `sourceDirectory`. With `Prefer: respond-async` the answer comes at once " +
    "and the work goes on as a session. With an `Idempotency-Key` a repeated request gets the first answer.",
  tags: ["Synchronization"],
  ...needs("sync"),
  request: { body: { required: true, content: { "application/json": { schema: SyncFilesBody } } } },
  responses: {
    200: jsonAnswer(SyncFilesAnswer, "Done; `success` is false where some entries failed"),
    202: jsonAnswer(SessionAnswer, "Started; `Location` tells where to ask for its status"),
    ...errorAnswers(400, 404, 409, 413, 503),
  },
});

export function registerSyncFiles(app: OpenAPIHono<AppEnv>, dependencies: AppDependencies): void {
  const { sessions, syncFiles } = dependencies;
  app.openapi(route, async (c) => {
    const { sessionId: parentId, ...body } = c.req.valid("json");
    const request = await resolvePaths(body, dependencies);
    return await runOperation(c, sessions, {
      kind: "sync.files",
      sourceIdentifier: body.sourceDirectory,
      targetIdentifier: body.targetDirectory,
      parentId,
      outcome,
    }, (job) => syncFiles(request, job));
  });
}

async function resolvePaths(request: SyncFilesRequest, { paths }: AppDependencies): Promise<SyncFilesRequest> {
  const { sourceDirectory, targetDirectory, trashDirectory } = request;
  return {
    ...request,
    sourceDirectory: await paths.resolve("sourceDirectory", sourceDirectory),
    targetDirectory: await paths.resolve("targetDirectory", targetDirectory),
    ...(trashDirectory === undefined ? {} : { trashDirectory: await paths.resolve("trashDirectory", trashDirectory) }),
  };
}

function outcome({ success, changesApplied, conflictsEncountered, errors, statistics }: SyncFilesResult): RunOutcome {
  const { bytesTransferred } = statistics;
  return { success, changesApplied, conflictsEncountered, errors, bytesTransferred };
}
