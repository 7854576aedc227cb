/** How an answer tells its caller about the rate limit. */
import { ApiError } from "./errors.ts";
import { type RateState, RateWindow } from "./rate_window.ts";

/** What is limited, and how far it is used up. */
export interface AnnouncedRate extends RateState {
  policy: "default" | "authentication";
  windowMs: number;
}

/** What answers say that no key's limit applies to, such as those of `/livez`: nothing of it is used. */
export function announcedRate(limit: number): AnnouncedRate {
  const windowMs = 60_000;
  return { policy: "default", windowMs, allowed: true, limit, remaining: limit, resetAt: Date.now() + windowMs };
}

/** Counts a request of a caller. */
export function takeRate(window: RateWindow, policy: AnnouncedRate["policy"], caller: string): AnnouncedRate {
  const { allowed, limit, remaining, resetAt } = window.take(caller);
  return { policy, windowMs: window.windowMs, allowed, limit, remaining, resetAt };
}

/**
 * `X-RateLimit-Reset` is in seconds since the epoch. `RateLimit-Policy` and `RateLimit` are the IETF draft's form of the same
 * (draft-ietf-httpapi-ratelimit-headers), with seconds from now.
 */
export function setRateHeaders(headers: Headers, rate: AnnouncedRate): void {
  const { policy, windowMs, limit, remaining, resetAt } = rate;
  headers.set("X-RateLimit-Limit", String(limit));
  headers.set("X-RateLimit-Remaining", String(remaining));
  headers.set("X-RateLimit-Reset", String(Math.ceil(resetAt / 1000)));
  headers.set("RateLimit-Policy", `"${policy}";q=${limit};w=${windowMs / 1000}`);
  headers.set("RateLimit", `"${policy}";r=${remaining};t=${secondsUntil(resetAt)}`);
}

/** The 429 of a spent limit. */
export function rateLimited({ resetAt }: RateState, why: string): ApiError {
  const seconds = secondsUntil(resetAt);
  const details = `${why} Try again in ${seconds} s.`;
  return new ApiError(429, "RATE_LIMITED", "Too many requests", details, { "Retry-After": String(seconds) });
}

function secondsUntil(time: number): number {
  return Math.max(1, Math.ceil((time - Date.now()) / 1000));
}
