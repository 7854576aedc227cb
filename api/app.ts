/**
 * The HTTP API. Middleware comes in this order: the envelope (request id, headers, log), then under the base path
 * authentication, rate limit, body, idempotency; a route adds its scope and its schemas. Whatever is thrown becomes an answer in `onError` alone.
 */
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { type AppDependencies, type AppEnv, BASE_PATH } from "./environment.ts";
import { ApiError, errorBody, toApiError } from "./errors.ts";
import { authentication } from "./middleware/authentication.ts";
import { envelope } from "./middleware/envelope.ts";
import { guarded } from "./middleware/guarded.ts";
import { idempotency } from "./middleware/idempotency.ts";
import { jsonBody } from "./middleware/json_body.ts";
import { rateLimit } from "./middleware/rate_limit.ts";
import { RecentKeys } from "./recent_keys.ts";
import { routeIndex } from "./route_index.ts";
import { registerDocumentation } from "./routes/documentation.ts";
import { registerKeys } from "./routes/keys.ts";
import { registerMonitoring } from "./routes/monitoring.ts";
import { registerSessionEvents } from "./routes/session_events.ts";
import { registerSessions } from "./routes/sessions.ts";
import { registerSyncFiles } from "./routes/sync_files.ts";
import { StaticRouteCache } from "./static_route_cache.ts";

/** The whole API as a Hono app; `app.fetch(request, info)` takes `Deno.serve`'s connection info. */
export function createApp(dependencies: AppDependencies): OpenAPIHono<AppEnv> {
  const { logger, state: { idempotency: answers }, stopping } = dependencies;
  const keys = new RecentKeys(dependencies.state.keys);
  const app = new OpenAPIHono<AppEnv>({
    router: new StaticRouteCache(),
    defaultHook: (result) => {
      if (!result.success) throw result.error;
    },
  });

  app.use("*", envelope(dependencies));
  app.use(`${BASE_PATH}/*`, guarded(authentication(keys), rateLimit(dependencies.rateLimit)));
  app.on("POST", `${BASE_PATH}/*`, jsonBody, idempotency(answers, logger));

  registerSyncFiles(app, dependencies);
  registerSessions(app, dependencies);
  registerSessionEvents(app, dependencies);
  registerKeys(app, keys);
  registerMonitoring(app, dependencies);
  registerDocumentation(app);

  app.onError((error, c) => {
    const answer = toApiError(error, stopping.aborted);
    if (answer.status >= 500) {
      logger.error("a request failed", { requestId: c.get("requestId"), errorCode: answer.errorCode, error });
    }
    return sendError(c, answer);
  });
  const methodsOf = routeIndex(app.routes);
  app.notFound((c) => sendError(c, notFound(c, methodsOf(c.req.path))));
  return app;
}

function sendError(c: Context<AppEnv>, error: ApiError): Response {
  return c.json(errorBody(error), error.status, error.headers);
}

function notFound(c: Context<AppEnv>, methods: string[]): ApiError {
  const { method } = c.req;
  const path = c.req.path.length > 256 ? `${c.req.path.slice(0, 256)}…` : c.req.path;
  if (methods.length === 0) {
    return new ApiError(404, "NOT_FOUND", "Resource not found", `There is nothing at ${path}.`);
  }
  const allow = methods.join(", ");
  const details = `${path} does not take ${method}; it takes ${allow}.`;
  return new ApiError(405, "INVALID_REQUEST", "Method not allowed", details, { Allow: allow });
}
