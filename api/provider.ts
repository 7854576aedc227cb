import type { Context } from "hono";
import { type Provider, PROVIDERS } from "./cloud_places.ts";
import type { AppEnv } from "./environment.ts";
import { ApiError } from "./errors.ts";
import { shorten } from "./shorten.ts";

/** The provider in a request's path. @throws ApiError 404 */
export function providerOf(c: Context<AppEnv>): Provider {
  const given = c.req.param("provider") ?? "";
  const known = PROVIDERS.find((provider) => provider === given);
  if (known !== undefined) return known;
  const details = `There is no provider ${shorten(given, 64)}; there are ${PROVIDERS.join(", ")}.`;
  throw new ApiError(404, "NOT_FOUND", "Resource not found", details);
}
