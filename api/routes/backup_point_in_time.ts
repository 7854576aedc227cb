import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { restoreOutcome } from "../../engine/backup/outcomes.ts";
import { type AppDependencies, type AppEnv, BASE_PATH } from "../environment.ts";
import { ApiError } from "../errors.ts";
import { needs } from "../middleware/authentication.ts";
import { asBody, asQuery, readParameters } from "../query_or_body.ts";
import { resolveRepository } from "../repository_location.ts";
import { runOperation } from "../run_operation.ts";
import { RestoreAnswer } from "../schemas/backup_answers.ts";
import { PointInTime } from "../schemas/backup_requests.ts";
import { errorAnswers, jsonAnswer } from "../schemas/common.ts";
import { SessionAnswer } from "../schemas/session.ts";

const PATH = `${BASE_PATH}/backup/restore-point-in-time`;
const common = {
  path: PATH,
  tags: ["Backup"],
  ...needs("backup"),
  summary: "Restores to a specific point in time",
  description: "Restores the newest version that is not after it. As `POST /backup/restore` otherwise.",
};
const responses = {
  200: jsonAnswer(RestoreAnswer, "Done; `success` is false where some files could not be restored"),
  202: jsonAnswer(SessionAnswer, "Started; `Location` tells where to ask for its status"),
  ...errorAnswers(400, 404, 409, 413, 503),
};

const get = createRoute({ ...common, method: "get", request: { query: asQuery(PointInTime) }, responses });
const post = createRoute({
  ...common,
  method: "post",
  request: { query: asQuery(PointInTime), body: asBody(PointInTime, "PointInTimeRequest") },
  responses,
});

export function registerBackupPointInTime(app: OpenAPIHono<AppEnv>, dependencies: AppDependencies): void {
  const { sessions, backups, paths } = dependencies;
  const handle = async (c: Context<AppEnv>) => {
    const { sessionId: parentId, backupPath, pointInTime, ...options } = await readParameters(c, PointInTime);
    const repository = await resolveRepository(backupPath, dependencies);
    const restorePath = await paths.resolve("restorePath", options.restorePath);
    const { versionId } = await backups.versionAt(repository, pointInTime);
    return await runOperation(c, sessions, {
      kind: "backup.restore",
      sourceIdentifier: backupPath,
      targetIdentifier: options.restorePath,
      parentId,
      outcome: restoreOutcome,
    }, (job) => backups.restore({ ...options, repository, restorePath, versionId }, job));
  };
  app.openapi(get, async (c) => {
    if (c.req.method === "HEAD") refuseHead();
    return await handle(c);
  });
  app.openapi(post, handle);
}

function refuseHead(): never {
  const details = "A HEAD must change nothing, and restoring does: use GET or POST.";
  throw new ApiError(405, "INVALID_REQUEST", "Method not allowed", details, { Allow: "GET, POST" });
}
