import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { EntryPlace, VersionPlace } from "../../engine/backup/operations.ts";
import { type AppDependencies, type AppEnv, BASE_PATH } from "../environment.ts";
import { jsonListStream } from "../json_stream.ts";
import { needs } from "../middleware/authentication.ts";
import { rawQueryParameter } from "../raw_query.ts";
import { resolveRepository } from "../repository_location.ts";
import { BrowseAnswer, ChangesAnswer, DiffAnswer, VersionsAnswer } from "../schemas/backup_answers.ts";
import { BrowseQuery, DiffParams, VersionParams, VersionsQuery } from "../schemas/backup_requests.ts";
import { errorAnswers, jsonAnswer } from "../schemas/common.ts";
import { streamAnswer } from "../stream_answer.ts";
import { pathOf } from "../version_path.ts";

const PATH = `${BASE_PATH}/backup/versions`;
const common = { tags: ["Backup"], ...needs("read", "backup") };
const errors = errorAnswers(400, 404, 503);

const list = createRoute({
  ...common,
  method: "get",
  path: PATH,
  summary: "Lists all backup versions",
  description: "Newest first.",
  request: { query: VersionsQuery },
  responses: { 200: jsonAnswer(VersionsAnswer, "The versions"), ...errors },
});

const browse = createRoute({
  ...common,
  method: "get",
  path: `${PATH}/{id}/files`,
  summary: "Shows a directory of a version, or what else the path names",
  request: { params: VersionParams, query: BrowseQuery },
  responses: { 200: jsonAnswer(BrowseAnswer, "The entry and what is in it"), ...errors },
});

const changes = createRoute({
  ...common,
  method: "get",
  path: `${PATH}/{id}/changes`,
  summary: "Lists what changed since the version before it of the same source",
  request: { params: VersionParams, query: VersionsQuery },
  responses: { 200: jsonAnswer(ChangesAnswer, "All changes, streamed"), ...errors },
});

const diff = createRoute({
  ...common,
  method: "get",
  path: `${PATH}/{id}/diff/{other}`,
  summary: "Compares a version with another one",
  description: "From the version to the other one: `added` is what only the other one has.",
  request: { params: DiffParams, query: VersionsQuery },
  responses: { 200: jsonAnswer(DiffAnswer, "All differences, streamed"), ...errors },
});

export function registerBackupVersions(app: OpenAPIHono<AppEnv>, dependencies: AppDependencies): void {
  const { backups, stopping } = dependencies;
  const place = async (id: string, backupPath: string): Promise<VersionPlace> => ({
    versionId: id,
    repository: await resolveRepository(backupPath, dependencies),
  });
  const stream = async (
    c: Context<AppEnv>,
    head: Record<string, unknown>,
    name: string,
    items: AsyncIterable<unknown>,
  ) =>
    streamAnswer(c, await jsonListStream(head, name, items), 200, { "Content-Type": "application/json" }, dependencies);

  app.openapi(list, async (c) => {
    const repository = await resolveRepository(c.req.valid("query").backupPath, dependencies);
    const { versions, damaged } = await backups.versions(repository);
    return c.json({ versions, totalCount: versions.length, damagedVersions: damaged }, 200);
  });

  app.openapi(browse, async (c) => {
    const { backupPath, limit } = c.req.valid("query");
    const at: EntryPlace = { ...await place(c.req.valid("param").id, backupPath), path: pathOf(c) };
    const after = rawQueryParameter(c.req.url, "cursor");
    const { next, ...page } = await backups.browse(at, { after, limit });
    return c.json({ versionId: at.versionId, ...page, nextCursor: next }, 200);
  });

  app.openapi(changes, async (c) => {
    const at = await place(c.req.valid("param").id, c.req.valid("query").backupPath);
    return await stream(c, { versionId: at.versionId }, "changes", backups.changes(at, stopping));
  });

  app.openapi(diff, async (c) => {
    const { id, other } = c.req.valid("param");
    const from = await place(id, c.req.valid("query").backupPath);
    const to = other;
    return await stream(c, { from: from.versionId, to }, "differences", backups.diff(from, to, stopping));
  });
}
