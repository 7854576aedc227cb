import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { getMimeType } from "hono/utils/mime";
import type { TransferResult } from "../../engine/cloud/transfer/types.ts";
import type { RunOutcome } from "../../engine/jobs/mod.ts";
import { type AppDependencies, type AppEnv, BASE_PATH } from "../environment.ts";
import { needs } from "../middleware/authentication.ts";
import { providerOf } from "../provider.ts";
import { runOperation } from "../run_operation.ts";
import { DownloadBody, ProviderParams, TransferAnswer, UploadBody } from "../schemas/cloud.ts";
import { errorAnswers, jsonAnswer } from "../schemas/common.ts";
import { SessionAnswer } from "../schemas/session.ts";

const DESCRIPTION =
  "Size and checksum of what arrived are checked. The same request goes on where an interrupted one stopped. " +
  "With `Prefer: respond-async` the answer comes at once and the work goes on as a session.";
const responses = {
  200: jsonAnswer(TransferAnswer, "Done"),
  202: jsonAnswer(SessionAnswer, "Started; `Location` tells where to ask for its status"),
  ...errorAnswers(400, 404, 409, 413, 503),
};

const upload = createRoute({
  method: "post",
  path: `${BASE_PATH}/cloud/{provider}/upload`,
  summary: "Uploads a file to cloud storage",
  description: DESCRIPTION,
  tags: ["Cloud"],
  ...needs("cloud"),
  request: {
    params: ProviderParams,
    body: { required: true, content: { "application/json": { schema: UploadBody } } },
  },
  responses,
});

const download = createRoute({
  method: "post",
  path: `${BASE_PATH}/cloud/{provider}/download`,
  summary: "Downloads a file from cloud storage",
  description: `It appears under its name only complete. ${DESCRIPTION}`,
  tags: ["Cloud"],
  ...needs("cloud"),
  request: {
    params: ProviderParams,
    body: { required: true, content: { "application/json": { schema: DownloadBody } } },
  },
  responses,
});

export function registerCloudTransfers(app: OpenAPIHono<AppEnv>, dependencies: AppDependencies): void {
  const { sessions, paths, clouds, cloud } = dependencies;
  app.openapi(upload, async (c) => {
    const provider = providerOf(c);
    const { sessionId: parentId, cloudPath, localPath, metadata, contentType } = c.req.valid("json");
    const location = clouds.ofProvider(provider);
    const request = {
      location,
      key: cloudPath,
      path: await paths.resolve("localPath", localPath),
      metadata,
      contentType: contentType ?? getMimeType(cloudPath) ?? "application/octet-stream",
    };
    return await runOperation(c, sessions, {
      kind: "cloud.upload",
      sourceIdentifier: localPath,
      targetIdentifier: `${provider}:${cloudPath}`,
      parentId,
      outcome,
    }, async (job) => {
      const result = { ...await cloud.upload(request, job), localPath };
      dependencies.usage.changed();
      return result;
    });
  });

  app.openapi(download, async (c) => {
    const provider = providerOf(c);
    const { sessionId: parentId, cloudPath, localPath } = c.req.valid("json");
    const location = clouds.ofProvider(provider);
    const request = { location, key: cloudPath, path: await paths.resolve("localPath", localPath) };
    return await runOperation(c, sessions, {
      kind: "cloud.download",
      sourceIdentifier: `${provider}:${cloudPath}`,
      targetIdentifier: localPath,
      parentId,
      outcome,
    }, async (job) => ({ ...await cloud.download(request, job), localPath }));
  });
}

function outcome({ bytesTransferred }: TransferResult): RunOutcome {
  return { success: true, changesApplied: 1, conflictsEncountered: 0, errors: [], bytesTransferred };
}
