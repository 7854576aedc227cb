import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { ObjectInfo } from "../../engine/cloud/object_store.ts";
import { type AppDependencies, type AppEnv, BASE_PATH } from "../environment.ts";
import { invalidRequest } from "../errors.ts";
import { needs } from "../middleware/authentication.ts";
import { providerOf } from "../provider.ts";
import {
  DeleteAnswer,
  LinkAnswer,
  LinkQuery,
  ListAnswer,
  ListQuery,
  ObjectAnswer,
  ObjectQuery,
  ProviderParams,
} from "../schemas/cloud.ts";
import { errorAnswers, jsonAnswer } from "../schemas/common.ts";
import { SHARED_PATH } from "./cloud_shared.ts";

const common = { tags: ["Cloud"], ...needs("cloud") };
const errors = errorAnswers(400, 404, 503);

const list = createRoute({
  ...common,
  method: "get",
  path: `${BASE_PATH}/cloud/{provider}/list`,
  summary: "Lists files in cloud storage",
  description: "Sorted by path. `totalCount` counts what matches in the whole listing.",
  request: { params: ProviderParams, query: ListQuery },
  responses: { 200: jsonAnswer(ListAnswer, "The files"), ...errors },
});

const metadata = createRoute({
  ...common,
  method: "get",
  path: `${BASE_PATH}/cloud/{provider}/metadata`,
  summary: "What is known of a file in cloud storage",
  request: { params: ProviderParams, query: ObjectQuery },
  responses: { 200: jsonAnswer(ObjectAnswer, "The file, with the metadata of its upload"), ...errors },
});

const remove = createRoute({
  ...common,
  method: "delete",
  path: `${BASE_PATH}/cloud/{provider}/object`,
  summary: "Deletes a file from cloud storage",
  request: { params: ProviderParams, query: ObjectQuery },
  responses: { 200: jsonAnswer(DeleteAnswer, "Deleted"), ...errors },
});

const link = createRoute({
  ...common,
  method: "get",
  path: `${BASE_PATH}/cloud/{provider}/shared-link`,
  summary: "Generates a shared access link for a file",
  description: "Who has the link may read this file until it expires, without a token.",
  request: { params: ProviderParams, query: LinkQuery },
  responses: { 200: jsonAnswer(LinkAnswer, "The link"), ...errors },
});

export function registerCloudObjects(app: OpenAPIHono<AppEnv>, dependencies: AppDependencies): void {
  const { clouds, cloud, links, publicUrl } = dependencies;

  app.openapi(list, async (c) => {
    const location = clouds.ofProvider(providerOf(c));
    const { prefix, filter, limit, cursor } = c.req.valid("query");
    const after = cursor === undefined ? undefined : keyOf(cursor);
    const { objects, totalCount, hasMore } = await cloud.list(location, { prefix, filter, limit, after });
    const last = objects.at(-1);
    const nextCursor = hasMore && last !== undefined
      ? new TextEncoder().encode(last.key).toBase64({ alphabet: "base64url" })
      : null;
    return c.json({ files: objects.map(fileOf), totalCount, nextCursor }, 200);
  });

  app.openapi(metadata, async (c) => {
    const location = clouds.ofProvider(providerOf(c));
    const { path } = c.req.valid("query");
    const details = await cloud.details(location, path);
    return c.json({ ...fileOf(details), contentType: details.contentType ?? null, metadata: details.metadata }, 200);
  });

  app.openapi(remove, async (c) => {
    const location = clouds.ofProvider(providerOf(c));
    await cloud.delete(location, c.req.valid("query").path);
    dependencies.usage.changed();
    return c.json({ success: true as const, message: "File deleted successfully" }, 200);
  });

  app.openapi(link, async (c) => {
    const location = clouds.ofProvider(providerOf(c));
    const { path, expiresIn } = c.req.valid("query");
    const expires = Math.floor(Date.now() / 1000) + expiresIn;
    const expiresAt = new Date(expires * 1000).toISOString();
    if (location.type !== "directory") {
      return c.json({ url: await cloud.link(location, path, expiresIn), expiresAt }, 200);
    }
    await cloud.details(location, path);
    // Behind a proxy the request does not tell what its client sees, and headers that do can be anybody's.
    const url = publicUrl === undefined ? new URL(SHARED_PATH, c.req.url) : new URL(SHARED_PATH.slice(1), publicUrl);
    url.search = new URLSearchParams({ path, expires: String(expires), signature: links.sign(path, expires) })
      .toString();
    return c.json({ url: url.href, expiresAt }, 200);
  });
}

function fileOf({ key, size, modified, etag }: ObjectInfo) {
  return { name: key.slice(key.lastIndexOf("/") + 1), path: key, size, modifiedDate: modified, eTag: etag };
}

/** @throws ApiError 400 */
function keyOf(cursor: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.fromBase64(cursor, { alphabet: "base64url" }));
  } catch {
    throw invalidRequest("cursor: must be the nextCursor of a listing.");
  }
}
