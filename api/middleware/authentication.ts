import type { Context, MiddlewareHandler } from "hono";
import type { Guard } from "./guarded.ts";
import type { KeyStore, Scope } from "../../engine/state/mod.ts";
import { clientAddress } from "../client_address.ts";
import type { AppEnv } from "../environment.ts";
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
  return (c) => {
    const given = c.req.header("authorization");
    const key = given !== undefined && isBearer(given) ? keys.findByToken(given.slice(7).trim()) : undefined;
    if (key === undefined) throw refuse(c, failures, given);
    keys.touch(key.id);
    c.set("key", key);
  };
}

function isBearer(authorization: string): boolean {
  return authorization.startsWith("Bearer ") || authorization.slice(0, 7).toLowerCase() === "bearer ";
}

function refuse(c: Context<AppEnv>, failures: RateWindow, given: string | undefined): ApiError {
  const rate = takeRate(failures, "authentication", clientAddress(c.env?.remoteAddr));
  c.set("rate", rate);
  if (!rate.allowed) return rateLimited(rate, `Over ${MAX_FAILURES} failed authentications a minute.`);
  const [challenge, details] = given === undefined
    ? ["", "Send the header Authorization: Bearer <token>."]
    : [', error="invalid_token"', "The Authorization header holds no valid token: Authorization: Bearer <token>."];
  const headers = { "WWW-Authenticate": `Bearer realm="syncline"${challenge}` };
  return new ApiError(401, "UNAUTHORIZED", "Missing or invalid authentication", details, headers);
}

/** What a route's definition spreads to need a scope, and to say so in the API's description. */
export function needs(scope: Scope): { security: { bearer: string[] }[]; middleware: MiddlewareHandler<AppEnv> } {
  return { security: [{ bearer: [scope] }], middleware: requireScope(scope) };
}

function requireScope(scope: Scope): MiddlewareHandler<AppEnv> {
  return (c, next) => {
    const { scopes } = c.get("key");
    if (scopes.includes(scope) || scopes.includes("admin")) return next();
    const headers = { "WWW-Authenticate": `Bearer realm="syncline", error="insufficient_scope", scope="${scope}"` };
    const details = `This needs an API key with the scope ${scope}; yours has ${scopes.join(", ") || "none"}.`;
    throw new ApiError(403, "FORBIDDEN", "Insufficient permissions", details, headers);
  };
}
