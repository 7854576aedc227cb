import { createRoute, type OpenAPIHono, type z } from "@hono/zod-openapi";
import { describeConnection, parseConnectionString } from "../../engine/database/connection_string.ts";
import type { Location } from "../../engine/state/mod.ts";
import { type AppDependencies, type AppEnv, BASE_PATH } from "../environment.ts";
import { ApiError } from "../errors.ts";
import { needs } from "../middleware/authentication.ts";
import { errorAnswers, jsonAnswer } from "../schemas/common.ts";
import { LocationAnswer, LocationListAnswer, LocationParams, RegisterLocationBody } from "../schemas/locations.ts";

const PATH = `${BASE_PATH}/locations`;
const common = { tags: ["Sessions"], ...needs("admin") };

const register = createRoute({
  ...common,
  method: "post",
  path: PATH,
  summary: "Registers a location: a name for a directory, a database or both",
  description: "A session that is started between two registered locations runs their synchronisation itself.",
  request: { body: { required: true, content: { "application/json": { schema: RegisterLocationBody } } } },
  responses: { 201: jsonAnswer(LocationAnswer, "Registered"), ...errorAnswers(400, 409, 413, 503) },
});

const list = createRoute({
  ...common,
  method: "get",
  path: PATH,
  summary: "Lists locations by name",
  responses: { 200: jsonAnswer(LocationListAnswer, "The locations, without passwords"), ...errorAnswers() },
});

const remove = createRoute({
  ...common,
  method: "delete",
  path: `${PATH}/{name}`,
  summary: "Forgets a location; what is at it stays",
  request: { params: LocationParams },
  responses: { 204: { description: "Forgotten" }, ...errorAnswers(404, 503) },
});

export function registerLocations(app: OpenAPIHono<AppEnv>, { state: { locations }, paths }: AppDependencies): void {
  app.openapi(register, async (c) => {
    const { name, directory, database } = c.req.valid("json");
    const location: Location = {
      name,
      directory: directory === undefined ? null : await paths.resolve("directory", directory),
      connectionString: database?.connectionString ?? null,
      entityNames: database?.entityNames ?? [],
      createdAt: new Date().toISOString(),
    };
    // Whatever cannot be used is refused now.
    const answer = shown(location);
    await locations.add(location);
    return c.json(answer, 201);
  });
  app.openapi(list, (c) => {
    const all = locations.list();
    return c.json({ locations: all.map(shown), totalCount: all.length }, 200);
  });
  app.openapi(remove, async (c) => {
    const { name } = c.req.valid("param");
    if (await locations.remove(name)) return c.body(null, 204);
    throw new ApiError(404, "NOT_FOUND", "Location not found", `There is no location called ${JSON.stringify(name)}.`);
  });
}

function shown(
  { name, directory, connectionString, entityNames, createdAt }: Location,
): z.infer<typeof LocationAnswer> {
  const database = connectionString === null ? null : {
    connection: describeConnection(parseConnectionString(connectionString, "connectionString")),
    entityNames,
  };
  return { name, directory, database, createdAt };
}
