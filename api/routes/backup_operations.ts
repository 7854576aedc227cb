import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { RestoreRequest } from "../../engine/backup/types.ts";
import {
  checkOutcome,
  createOutcome,
  pruneOutcome,
  repairOutcome,
  restoreOutcome,
} from "../../engine/backup/outcomes.ts";
import type { BackupRecord } from "../../engine/state/mod.ts";
import { type AppDependencies, type AppEnv, BASE_PATH } from "../environment.ts";
import { needs } from "../middleware/authentication.ts";
import { asBody, asQuery, readParameters } from "../query_or_body.ts";
import { resolveRepository } from "../repository_location.ts";
import { runOperation } from "../run_operation.ts";
import {
  CheckAnswer,
  CreateBackupAnswer,
  PruneAnswer,
  RepairAnswer,
  RestoreAnswer,
} from "../schemas/backup_answers.ts";
import { Check, CreateBackupBody, Prune, Repair, RestoreBody } from "../schemas/backup_requests.ts";
import { errorAnswers, jsonAnswer } from "../schemas/common.ts";
import { SessionAnswer } from "../schemas/session.ts";

const ASYNC = "With `Prefer: respond-async` the answer comes at once and the work goes on as a session.";
const common = { tags: ["Backup"], ...needs("backup") };
const started = { 202: jsonAnswer(SessionAnswer, "Started; `Location` tells where to ask for its status") };
const errors = errorAnswers(400, 404, 409, 413, 503);

const create = createRoute({
  ...common,
  method: "post",
  path: `${BASE_PATH}/backup/create`,
  summary: "Creates a backup of a directory",
  description: `Makes the repository where there is none, encrypted where the server has a password. ${ASYNC}`,
  request: { body: { required: true, content: { "application/json": { schema: CreateBackupBody } } } },
  responses: {
    200: jsonAnswer(CreateBackupAnswer, "Done; `success` is false where some files are missing in it"),
    ...started,
    ...errors,
  },
});

const restore = createRoute({
  ...common,
  method: "post",
  path: `${BASE_PATH}/backup/restore`,
  summary: "Restores a backup version",
  description: `In place: only what differs is written. ${ASYNC}`,
  request: { body: { required: true, content: { "application/json": { schema: RestoreBody } } } },
  responses: {
    200: jsonAnswer(RestoreAnswer, "Done; `success` is false where some files could not be restored"),
    ...started,
    ...errors,
  },
});

const prune = createRoute({
  ...common,
  method: "post",
  path: `${BASE_PATH}/backup/prune`,
  summary: "Deletes old backup versions",
  description:
    "A version stays that any of the rules keeps, and the newest of each source always. Parameters may come in " +
    `the query or in a body. ${ASYNC}`,
  request: { query: asQuery(Prune), body: asBody(Prune, "PruneRequest") },
  responses: { 200: jsonAnswer(PruneAnswer, "Done"), ...started, ...errors },
});

const check = createRoute({
  ...common,
  method: "post",
  path: `${BASE_PATH}/backup/check`,
  summary: "Checks that a repository is whole",
  description: `Names the versions and files that a problem costs, and changes nothing. ${ASYNC}`,
  request: { query: asQuery(Check), body: asBody(Check, "CheckRequest") },
  responses: {
    200: jsonAnswer(CheckAnswer, "Checked; `success` is false where there are problems"),
    ...started,
    ...errors,
  },
});

const repair = createRoute({
  ...common,
  method: "post",
  path: `${BASE_PATH}/backup/repair`,
  summary: "Repairs a damaged repository as far as that is possible",
  description: `Rebuilds the index and replaces versions by ones without what is lost. ${ASYNC}`,
  request: { query: asQuery(Repair), body: asBody(Repair, "RepairRequest") },
  responses: { 200: jsonAnswer(RepairAnswer, "Done"), ...started, ...errors },
});

export function registerBackupOperations(app: OpenAPIHono<AppEnv>, dependencies: AppDependencies): void {
  const { sessions, backups, paths } = dependencies;

  app.openapi(create, async (c) => {
    const { sessionId: parentId, backupPath, ...body } = c.req.valid("json");
    const request = {
      ...body,
      sourceDirectory: await paths.resolve("sourceDirectory", body.sourceDirectory),
      repository: await resolveRepository(backupPath, dependencies),
    };
    return await runOperation(c, sessions, {
      kind: "backup.create",
      sourceIdentifier: body.sourceDirectory,
      targetIdentifier: backupPath,
      parentId,
      outcome: createOutcome,
    }, async (job) => {
      const result = await backups.create(request, job);
      await remember(dependencies, { source: body.sourceDirectory, repository: backupPath, ...result });
      return result;
    });
  });

  app.openapi(restore, async (c) => {
    const { sessionId: parentId, backupPath, ...body } = c.req.valid("json");
    const request: RestoreRequest = {
      ...body,
      versionId: body.versionId,
      restorePath: await paths.resolve("restorePath", body.restorePath),
      repository: await resolveRepository(backupPath, dependencies),
    };
    return await runOperation(c, sessions, {
      kind: "backup.restore",
      sourceIdentifier: backupPath,
      targetIdentifier: body.restorePath,
      parentId,
      outcome: restoreOutcome,
    }, (job) => backups.restore(request, job));
  });

  app.openapi(prune, async (c) => {
    const { sessionId: parentId, backupPath, ...rules } = await readParameters(c, Prune);
    const { retentionDays } = rules;
    const request = { ...rules, retentionDays, repository: await resolveRepository(backupPath, dependencies) };
    const spec = { ...onRepository("backup.prune", backupPath, parentId), outcome: pruneOutcome };
    return await runOperation(c, sessions, spec, (job) => backups.prune(request, job));
  });

  app.openapi(check, async (c) => {
    const { sessionId: parentId, backupPath, ...options } = await readParameters(c, Check);
    const request = { ...options, repository: await resolveRepository(backupPath, dependencies) };
    const spec = { ...onRepository("backup.check", backupPath, parentId), outcome: checkOutcome };
    return await runOperation(c, sessions, spec, (job) => backups.check(request, job));
  });

  app.openapi(repair, async (c) => {
    const { sessionId: parentId, backupPath, ...options } = await readParameters(c, Repair);
    const request = { ...options, repository: await resolveRepository(backupPath, dependencies) };
    const spec = { ...onRepository("backup.repair", backupPath, parentId), outcome: repairOutcome };
    return await runOperation(c, sessions, spec, (job) => backups.repair(request, job));
  });
}

/** For those who watch; the backup is made and its answer true, whether this can be written or not. */
async function remember({ state, logger }: AppDependencies, backup: BackupRecord): Promise<void> {
  const { source, repository, success, storedBytes } = backup;
  try {
    await state.backups.record({ source, repository, success, storedBytes });
  } catch (error) {
    logger.error("a backup's date could not be recorded", { source, error });
  }
}

function onRepository(kind: string, backupPath: string, parentId: string | undefined) {
  return { kind, sourceIdentifier: backupPath, targetIdentifier: backupPath, parentId };
}
