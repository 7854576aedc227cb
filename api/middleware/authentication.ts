import type { MiddlewareHandler } from "hono";
import type { ApiKey, KeyStore, Scope } from "../../engine/state/mod.ts";
import { clientAddress } from "../client_address.ts";
import type { AppEnv, Exchange } from "../environment.ts";
import type { Guard } from "../envelope.ts";
import { ApiError } from "../errors.ts";
import { rateLimited, takeRate } from "../rate_headers.ts";
import { RateWindow } from "../rate_window.ts";

/** Failures a minute from one address. */
const MAX_FAILURES = 20;

/**
 * Finds the API key of a request. Only failures count against an address, and a valid key always passes: tokens are too
 * long to guess, and nobody behind a shared address can lock others out.
 */
export function authentication(keys: Pick<KeyStore, "findByToken" | "touch">): Guard {
  const failures = new RateWindow({ limit: MAX_FAILURES });
  return (exchange, request) => {
    const given = request.headers.get("authorization");
    const key = given !== null && isBearer(given) ? keys.findByToken(given.slice(7).trim()) : undefined;
    if (key === undefined) throw refuse(exchange, failures, given);
    keys.touch(key.id);
    exchange.key = key;
  };
}

function isBearer(authorization: string): boolean {
  return authorization.startsWith("Bearer ") || authorization.slice(0, 7).toLowerCase() === "bearer ";
}

function refuse(exchange: Exchange, failures: RateWindow, given: string | null): ApiError {
  const rate = takeRate(failures, "authentication", clientAddress(exchange.connection.remoteAddr));
  exchange.rate = rate;
  if (!rate.allowed) return rateLimited(rate, `Over ${MAX_FAILURES} failed authentications a minute.`);
  const [challenge, details] = given === null
    ? ["", "Send the header Authorization: Bearer <token>."]
    : [', error="invalid_token"', "The Authorization header holds no valid token: Authorization: Bearer <token>."];
  const headers = { "WWW-Authenticate": `Bearer realm="syncline"${challenge}` };
  return new ApiError(401, "UNAUTHORIZED", "Missing or invalid authentication", details, headers);
}

/** What a route's definition spreads to need one of some scopes, and to say so in the API's description. */
export function needs(...scopes: Scope[]): { security: { bearer: string[] }[]; middleware: MiddlewareHandler<AppEnv> } {
  return { security: scopes.map((scope) => ({ bearer: [scope] })), middleware: requireScope(scopes) };
}

function requireScope(accepted: Scope[]): MiddlewareHandler<AppEnv> {
  return (c, next) => {
    assertScope(c.env, ...accepted);
    return next();
  };
}

/**
 * That the caller has one of these scopes.
 * @throws ApiError 403
 */
export function assertScope(exchange: Exchange, ...accepted: Scope[]): void {
  const { scopes } = callerOf(exchange);
  if (scopes.includes("admin") || accepted.some((scope) => scopes.includes(scope))) return;
  // The challenge names one that would do: several in it would mean that all are needed.
  const headers = { "WWW-Authenticate": `Bearer realm="syncline", error="insufficient_scope", scope="${accepted[0]}"` };
  const details = `This needs an API key with the scope ${accepted.join(" or ")}; yours has ${
    scopes.join(", ") || "none"
  }.`;
  throw new ApiError(403, "FORBIDDEN", "Insufficient permissions", details, headers);
}

/** The key of a request that `authentication` has let through. */
export function callerOf({ key }: Exchange): ApiKey {
  if (key === undefined) throw new Error("Cannot tell the caller: nothing has authenticated the request");
  return key;
}
