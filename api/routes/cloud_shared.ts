import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { contentDisposition } from "../../engine/cloud/content_disposition.ts";
import { selectContent } from "../content_range.ts";
import type { AppDependencies, AppEnv } from "../environment.ts";
import { ApiError } from "../errors.ts";
import { SharedQuery } from "../schemas/cloud.ts";
import { errorAnswers } from "../schemas/common.ts";
import { streamAnswer } from "../stream_answer.ts";

/** Outside the base path: the signature is what lets a request in. */
export const SHARED_PATH = "/shared";

const bytes = { "application/octet-stream": { schema: z.string().openapi({ format: "binary" }) } };

const route = createRoute({
  method: "get",
  path: SHARED_PATH,
  summary: "Reads a file of the provider `local` by a shared link; no token",
  description: "Takes `Range`, `If-Range` and `If-None-Match`.",
  tags: ["Cloud"],
  security: [],
  request: { query: SharedQuery },
  responses: {
    200: { description: "The file", content: bytes },
    206: { description: "The asked part of the file", content: bytes },
    304: { description: "The client has it already" },
    ...errorAnswers(400, 403, 404, 416),
  },
});

export function registerCloudShared(app: OpenAPIHono<AppEnv>, dependencies: AppDependencies): void {
  const { clouds, cloud, links, openLocal } = dependencies;
  app.openapi(route, async (c) => {
    const { path, expires, signature } = c.req.valid("query");
    if (!links.verify(path, expires, signature)) {
      throw new ApiError(403, "FORBIDDEN", "The link is not valid", "It has expired or was changed. Ask for another.");
    }
    const { size, etag, contentType } = await cloud.details(clouds.ofProvider("local"), path);
    const conditions = {
      range: c.req.header("range"),
      ifRange: c.req.header("if-range"),
      ifNoneMatch: c.req.header("if-none-match"),
    };
    const selection = selectContent(conditions, `"${etag}"`, size);
    if (selection.status === 416) {
      const headers = { "Content-Range": `bytes */${size}` };
      throw new ApiError(
        416,
        "INVALID_REQUEST",
        "The range is outside of the file",
        `Range: the file has ${size} bytes.`,
        headers,
      );
    }
    const headers: Record<string, string> = {
      "Content-Type": contentType ?? "application/octet-stream",
      "Content-Disposition": contentDisposition(path.slice(path.lastIndexOf("/") + 1)),
      ETag: `"${etag}"`,
      "Accept-Ranges": "bytes",
      "Cache-Control": "private, no-cache",
      // What somebody uploaded must not act as a page of this server.
      "Content-Security-Policy": "sandbox",
      "X-Content-Type-Options": "nosniff",
    };
    if (selection.status === 304) return c.body(null, 304, headers);
    const range = selection.status === 206 ? selection : { offset: 0, length: size };
    headers["Content-Length"] = String(range.length);
    if (selection.status === 206) {
      headers["Content-Range"] = `bytes ${range.offset}-${range.offset + range.length - 1}/${size}`;
    }
    if (c.req.method === "HEAD" || range.length === 0) return c.body(null, selection.status, headers);
    return streamAnswer(c, await openLocal(path, range), selection.status, headers, dependencies);
  });
}
