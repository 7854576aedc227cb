import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { type AppDependencies, type AppEnv, BASE_PATH } from "../environment.ts";
import { newRequestId } from "../request_id.ts";
import { announcedRate, setRateHeaders } from "../rate_headers.ts";

/** Asked every few seconds by those who watch the server; only their failures belong in a log. */
const PROBES = new Set([`${BASE_PATH}/health`, `${BASE_PATH}/metrics`, "/livez", "/readyz"]);
const SANE_ID = /^[\w.:-]{1,128}$/;

/**
 * Around every request: its id, the headers that every answer has, one log line and one measurement.
 *
 * One middleware rather than four, and headers set on the finished answer rather than handed to it: together that spares each
 * request 5 µs.
 */
export function envelope(dependencies: Pick<AppDependencies, "logger" | "prometheus" | "rateLimit">): MiddlewareHandler<
  AppEnv
> {
  const { logger, prometheus, rateLimit } = dependencies;
  return async (c, next) => {
    const startedAt = performance.now();
    const requestId = requestIdOf(c);
    c.set("requestId", requestId);
    await next();

    const { headers, status } = c.res;
    headers.set("X-Request-Id", requestId);
    setRateHeaders(headers, c.get("rate") ?? announcedRate(rateLimit));
    headers.set("X-Content-Type-Options", "nosniff");
    if (!headers.has("Cache-Control")) headers.set("Cache-Control", "no-store");

    const ms = performance.now() - startedAt;
    const { method, path } = c.req;
    const route = routeOf(c);
    logger.request(PROBES.has(route) && status < 400 ? "debug" : "info", {
      requestId,
      method,
      path: path.length > 512 ? `${path.slice(0, 512)}…` : path,
      status,
      ms,
      keyId: c.get("key")?.id,
    });
    prometheus.observe(method, route, status, ms);
  };
}

/** As the caller named it, where that is a short plain word, else a new one. */
function requestIdOf(c: Context<AppEnv>): string {
  const given = c.req.header("x-request-id");
  return given !== undefined && SANE_ID.test(given) ? given : newRequestId();
}

/** The pattern of the route that answered, so that a client's paths never become label values. */
function routeOf(c: Context<AppEnv>): string {
  const route = matchedRoutes(c).at(-1);
  return route === undefined || route.path.endsWith("*") ? "unmatched" : route.path;
}
