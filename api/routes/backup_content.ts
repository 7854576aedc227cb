import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { contentDisposition } from "../../engine/cloud/content_disposition.ts";
import type { VersionContent } from "../../engine/backup/operations.ts";
import { selectContent, type Selection } from "../content_range.ts";
import { type AppDependencies, type AppEnv, BASE_PATH } from "../environment.ts";
import { ApiError } from "../errors.ts";
import { needs } from "../middleware/authentication.ts";
import { resolveRepository } from "../repository_location.ts";
import { EntryQuery, VersionParams } from "../schemas/backup_requests.ts";
import { errorAnswers } from "../schemas/common.ts";
import { streamAnswer } from "../stream_answer.ts";
import { pathOf } from "../version_path.ts";

const bytes = {
  "application/octet-stream": { schema: z.string().openapi({ format: "binary" }) },
  "application/x-tar": { schema: z.string().openapi({ format: "binary" }) },
};

const route = createRoute({
  method: "get",
  path: `${BASE_PATH}/backup/versions/{id}/content`,
  summary: "Downloads a file of a version, or a directory as a tar archive",
  description: "Straight from the repository. Files take `Range`, `If-Range` and `If-None-Match`.",
  tags: ["Backup"],
  ...needs("read", "backup"),
  request: { params: VersionParams, query: EntryQuery },
  responses: {
    200: { description: "The file, or the archive", content: bytes },
    206: { description: "The asked part of the file", content: bytes },
    304: { description: "The client has it already" },
    ...errorAnswers(400, 404, 416, 503),
  },
});

export function registerBackupContent(app: OpenAPIHono<AppEnv>, dependencies: AppDependencies): void {
  const { backups, stopping } = dependencies;
  app.openapi(route, async (c) => {
    const { backupPath } = c.req.valid("query");
    const path = pathOf(c);
    const versionId = c.req.valid("param").id;
    const content = await backups.content({
      versionId,
      repository: await resolveRepository(backupPath, dependencies),
      path,
    });
    const selection = select(c, content);
    const headers = headersOf(content, versionId);
    if (selection.status === 304) return c.body(null, 304, headers);
    if (content.type === "directory") return streamAnswer(c, content.tar(stopping), 200, headers, dependencies);

    const { size } = content;
    const range = selection.status === 206 ? selection : { offset: 0, length: size };
    headers["Content-Length"] = String(range.length);
    if (selection.status === 206) {
      headers["Content-Range"] = `bytes ${range.offset}-${range.offset + range.length - 1}/${size}`;
    }
    if (c.req.method === "HEAD" || range.length === 0) return c.body(null, selection.status, headers);
    return streamAnswer(c, content.read(range, stopping), selection.status, headers, dependencies);
  });
}

/** @throws ApiError 416 */
function select(c: Context<AppEnv>, content: VersionContent): Exclude<Selection, { status: 416 }> {
  const isFile = content.type === "file";
  const size = isFile ? content.size : 0;
  const selection = selectContent(
    {
      range: isFile ? c.req.header("range") : undefined,
      ifRange: c.req.header("if-range"),
      ifNoneMatch: c.req.header("if-none-match"),
    },
    quoted(content.etag),
    size,
  );
  if (selection.status !== 416) return selection;
  const details = `Range: the file has ${size} bytes.`;
  const headers = { "Content-Range": `bytes */${size}` };
  throw new ApiError(416, "INVALID_REQUEST", "The range is outside of the file", details, headers);
}

function headersOf(content: VersionContent, versionId: string): Record<string, string> {
  const isFile = content.type === "file";
  return {
    "Content-Type": isFile ? "application/octet-stream" : "application/x-tar",
    "Content-Disposition": contentDisposition(isFile ? content.name : `${content.name || versionId}.tar`),
    ETag: quoted(content.etag),
    "Accept-Ranges": isFile ? "bytes" : "none",
    "Cache-Control": "private, no-cache",
  };
}

function quoted(etag: string): string {
  return `"${etag}"`;
}
