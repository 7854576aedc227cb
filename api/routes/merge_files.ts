import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { RunOutcome } from "../../engine/jobs/mod.ts";
import type { MergeFilesRequest, MergeFilesResult } from "../../engine/merge/mod.ts";
import { type AppDependencies, type AppEnv, BASE_PATH } from "../environment.ts";
import { needs } from "../middleware/authentication.ts";
import { runOperation } from "../run_operation.ts";
import { errorAnswers, jsonAnswer } from "../schemas/common.ts";
import { MergeFilesAnswer, MergeFilesBody } from "../schemas/merge_files.ts";
import { SessionAnswer } from "../schemas/session.ts";

const route = createRoute({
  method: "post",
  path: `${BASE_PATH}/merge/files`,
  summary: "Performs a 3-way merge of files",
  description:
    "Merges what led from `baseFile` to `sourceFile` with what led from it to `targetFile`: by lines, or by structure. " +
    "Line endings, a byte-order mark and a missing last newline survive, as do the format and the comments of what " +
    "was not edited. Files of up to 64 MiB without NUL bytes.",
  tags: ["Merge"],
  ...needs("merge"),
  request: { body: { required: true, content: { "application/json": { schema: MergeFilesBody } } } },
  responses: {
    200: jsonAnswer(MergeFilesAnswer, "Merged; `success` is false where conflicts are left for a person"),
    202: jsonAnswer(SessionAnswer, "Started; `Location` tells where to ask for its status"),
    ...errorAnswers(400, 404, 409, 413, 503),
  },
});

export function registerMergeFiles(app: OpenAPIHono<AppEnv>, { sessions, paths, mergeFiles }: AppDependencies): void {
  app.openapi(route, async (c) => {
    const { sessionId: parentId, baseFile, sourceFile, targetFile, outputFile, ...options } = c.req.valid("json");
    const request: MergeFilesRequest = {
      ...options,
      baseFile: await paths.resolve("baseFile", baseFile),
      sourceFile: await paths.resolve("sourceFile", sourceFile),
      targetFile: await paths.resolve("targetFile", targetFile),
      ...(outputFile === undefined ? {} : { outputFile: await paths.resolve("outputFile", outputFile) }),
    };
    return await runOperation(c, sessions, {
      kind: "merge.files",
      sourceIdentifier: sourceFile,
      targetIdentifier: outputFile ?? targetFile,
      parentId,
      outcome: (result: MergeFilesResult) => outcome(result, outputFile !== undefined),
    }, (job) => mergeFiles(request, job));
  });
}

function outcome({ success, conflictCount, mergedSize }: MergeFilesResult, isWritten: boolean): RunOutcome {
  return {
    success,
    changesApplied: isWritten ? 1 : 0,
    conflictsEncountered: conflictCount,
    errors: [],
    bytesTransferred: isWritten ? mergedSize : 0,
  };
}
