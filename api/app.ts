/**
 * The HTTP API. A request passes, in this order: the envelope (request id, headers, log), then under the base path
 * authentication, rate limit, body, idempotency; a route adds its scope and its schemas. Whatever is thrown becomes an answer in
 * `toAnswer` alone.
 */
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { RouterRoute } from "hono/types";
import { envelope, type Fetch } from "./envelope.ts";
import { type AppDependencies, type AppEnv, BASE_PATH, type Exchange } from "./environment.ts";
import { ApiError, errorAnswer, toApiError } from "./errors.ts";
import { audit } from "./middleware/audit.ts";
import { authentication } from "./middleware/authentication.ts";
import { idempotency } from "./middleware/idempotency.ts";
import { jsonBody } from "./middleware/json_body.ts";
import { rateLimit } from "./middleware/rate_limit.ts";
import { RecentKeys } from "./recent_keys.ts";
import type { ApiKey } from "../engine/state/mod.ts";
import { newRequestId } from "./request_id.ts";
import { routeIndex } from "./route_index.ts";
import { registerAudit } from "./routes/audit.ts";
import { registerBackupContent } from "./routes/backup_content.ts";
import { registerBackupOperations } from "./routes/backup_operations.ts";
import { registerBackupPointInTime } from "./routes/backup_point_in_time.ts";
import { registerBackupVersions } from "./routes/backup_versions.ts";
import { registerCloudObjects } from "./routes/cloud_objects.ts";
import { registerCloudShared } from "./routes/cloud_shared.ts";
import { registerCloudTransfers } from "./routes/cloud_transfers.ts";
import { registerDocumentation } from "./routes/documentation.ts";
import { registerKeys } from "./routes/keys.ts";
import { registerLocations } from "./routes/locations.ts";
import { registerMergeFiles } from "./routes/merge_files.ts";
import { registerMonitoring } from "./routes/monitoring.ts";
import { registerSchedules } from "./routes/schedules.ts";
import { registerSessionEvents } from "./routes/session_events.ts";
import { registerSessions } from "./routes/sessions.ts";
import { registerSyncDatabase } from "./routes/sync_database.ts";
import { registerSyncFiles } from "./routes/sync_files.ts";
import { registerWebhooks } from "./routes/webhooks.ts";
import { shorten } from "./shorten.ts";
import { StaticRouteCache } from "./static_route_cache.ts";

export interface App {
  /** As `Deno.serve` calls it. */
  fetch: Fetch;
  readonly routes: readonly RouterRoute[];
  /** Answers a request of the server itself, with the rights of `key`: validated and audited as any other. */
  readonly perform: (path: string, body: unknown, key: ApiKey) => Promise<Performed>;
}

/** The answer to {@link App.perform}. */
export interface Performed {
  status: number;
  /** Parsed JSON. */
  body: Record<string, unknown>;
  /** The session that it started; null where it did not come to that. */
  sessionId: string | null;
}

/** The whole API. */
export function createApp(dependencies: AppDependencies): App {
  const { logger, state: { idempotency: answers }, stopping } = dependencies;
  const keys = new RecentKeys(dependencies.state.keys);
  const app = new OpenAPIHono<AppEnv>({
    router: new StaticRouteCache(),
    // What the guards have judged is what is routed.
    getPath: (_, options) => (options?.env as Exchange).path,
    defaultHook: (result) => {
      if (!result.success) throw result.error;
    },
  });

  const audited = audit(dependencies.state.audit, logger);
  app.on(["POST", "PUT", "PATCH", "DELETE"], `${BASE_PATH}/*`, audited);
  // The one query that writes, since the reference has it so.
  app.on("GET", `${BASE_PATH}/backup/restore-point-in-time`, audited);
  app.on(["POST", "PATCH"], `${BASE_PATH}/*`, jsonBody());
  app.on("POST", `${BASE_PATH}/*`, idempotency(answers, logger));

  const perform = async (path: string, body: unknown, key: ApiKey): Promise<Performed> => {
    const exchange: Exchange = { requestId: newRequestId(), path, connection: {}, key, rate: undefined };
    const request = new Request(`http://localhost${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const answer = await app.fetch(request, exchange);
    return { status: answer.status, body: await answer.json(), sessionId: exchange.sessionId ?? null };
  };
  registerSyncFiles(app, dependencies);
  registerSyncDatabase(app, dependencies);
  registerBackupOperations(app, dependencies);
  registerBackupPointInTime(app, dependencies);
  registerBackupVersions(app, dependencies);
  registerBackupContent(app, dependencies);
  registerCloudTransfers(app, dependencies);
  registerCloudObjects(app, dependencies);
  registerCloudShared(app, dependencies);
  registerSessions(app, dependencies, perform);
  registerLocations(app, dependencies);
  registerMergeFiles(app, dependencies);
  registerSessionEvents(app, dependencies);
  registerKeys(app, keys);
  registerAudit(app, dependencies.state.audit);
  registerWebhooks(app, dependencies);
  registerSchedules(app, dependencies);
  registerMonitoring(app, dependencies);
  registerDocumentation(app);

  const toAnswer = (error: unknown, { requestId }: Exchange) => {
    const answer = toApiError(error, stopping.aborted);
    if (answer.status >= 500) logger.error("a request failed", { requestId, errorCode: answer.errorCode, error });
    return errorAnswer(answer);
  };
  app.onError((error, c) => toAnswer(error, c.env));
  const methodsOf = routeIndex(app.routes);
  app.notFound((c) => errorAnswer(notFound(c, methodsOf(c.req.path))));
  const fetch = envelope({
    ...dependencies,
    guards: [authentication(keys), rateLimit(dependencies.rateLimit)],
    route: (request, exchange) => app.fetch(request, exchange),
    match: (method, path) => app.router.match(method, path),
    toAnswer,
  });
  return { fetch, routes: app.routes, perform };
}

function notFound(c: Context<AppEnv>, methods: string[]): ApiError {
  const method = shorten(c.req.method, 32);
  const path = shorten(c.req.path, 256);
  if (methods.length === 0) {
    return new ApiError(404, "NOT_FOUND", "Resource not found", `There is nothing at ${path}.`);
  }
  const allow = methods.join(", ");
  const details = `${path} does not take ${method}; it takes ${allow}.`;
  return new ApiError(405, "INVALID_REQUEST", "Method not allowed", details, { Allow: allow });
}
