import type { Context, MiddlewareHandler } from "hono";
import type { StatusCode } from "hono/utils/http-status";
import { createHash } from "node:crypto";
import type { ClaimId, IdempotencyStore, StoredAnswer } from "../../engine/state/mod.ts";
import type { AppEnv } from "../environment.ts";
import { ApiError, invalidRequest } from "../errors.ts";
import type { Logger } from "../logging.ts";
import { callerOf } from "./authentication.ts";

const KEY = /^[\x21-\x7e]{1,255}$/;
const KEPT_HEADERS = ["content-type", "location", "preference-applied"];
/** 4xx answers that say nothing about the request itself, so that sending it again may do the work. */
const PASSING = new Set([401, 403, 408, 429]);

/** A request that runs: what it asks, and its answer once there is one to repeat. */
interface Running {
  fingerprint: string;
  answer: Promise<StoredAnswer | undefined>;
}

/**
 * Does the work of a POST with an `Idempotency-Key` once: whoever sends the same again gets the first answer, waiting for it
 * where it is still being made. An answer is repeatable once it is stored, which is before it is sent.
 */
export function idempotency(store: IdempotencyStore, logger: Logger): MiddlewareHandler<AppEnv> {
  const running = new Map<string, Running>();

  return async (c, next) => {
    const idempotencyKey = c.req.header("idempotency-key");
    if (idempotencyKey === undefined) return await next();
    if (!KEY.test(idempotencyKey)) {
      throw invalidRequest("Idempotency-Key must be 1 to 255 visible ASCII characters without spaces.");
    }
    const id: ClaimId = { keyId: callerOf(c.env).id, idempotencyKey };
    const fingerprint = fingerprintOf(c);
    const name = `${id.keyId} ${idempotencyKey}`;

    // Whoever finds nobody at work takes the place in the same turn, so two never claim at once.
    for (let other = running.get(name); other !== undefined; other = running.get(name)) {
      if (other.fingerprint !== fingerprint) throw otherRequest();
      const answer = await other.answer;
      if (answer !== undefined) return replay(c, answer);
    }
    const { promise, resolve } = Promise.withResolvers<StoredAnswer | undefined>();
    running.set(name, { fingerprint, answer: promise });
    let kept: StoredAnswer | undefined;
    try {
      const claim = await store.claim({ ...id, fingerprint });
      if (claim.kind === "mismatch") throw otherRequest();
      if (claim.kind === "running") throw stillRunning();
      if (claim.kind === "done") return replay(c, kept = claim);
      kept = await runOnce(c, next, store, id, logger);
    } finally {
      running.delete(name);
      resolve(kept);
    }
  };
}

/** Does the work, and returns its answer where it was stored. */
async function runOnce(
  c: Context<AppEnv>,
  next: () => Promise<void>,
  store: IdempotencyStore,
  id: ClaimId,
  logger: Logger,
): Promise<StoredAnswer | undefined> {
  let stored: StoredAnswer | undefined;
  try {
    await next();
    stored = await keep(c, store, id, logger);
  } finally {
    if (stored === undefined) await store.release(id);
  }
  return stored;
}

async function keep(
  c: Context<AppEnv>,
  store: IdempotencyStore,
  id: ClaimId,
  logger: Logger,
): Promise<StoredAnswer | undefined> {
  const { status, headers } = c.res;
  if (status >= 500 || PASSING.has(status)) return undefined;
  const answer = c.get("storedAnswer") ??
    { status, headers: keptHeaders(headers), body: await c.res.clone().text() };
  try {
    await store.complete({ ...id, ...answer });
    return answer;
  } catch (error) {
    // The work is done and its answer is true: it goes out, though it cannot be repeated.
    logger.error("an answer could not be stored under its Idempotency-Key", { requestId: c.env.requestId, error });
    return undefined;
  }
}

function fingerprintOf(c: Context<AppEnv>): string {
  const { pathname, search } = new URL(c.req.url);
  const digest = createHash("sha256").update(c.get("body")).digest("hex");
  return `${c.req.method} ${pathname}${search} ${digest}`;
}

function keptHeaders(headers: Headers): Record<string, string> {
  return Object.fromEntries(
    KEPT_HEADERS.flatMap((name) => headers.has(name) ? [[name, headers.get(name) ?? ""]] : []),
  );
}

function replay(c: Context<AppEnv>, { status, headers, body }: StoredAnswer): Response {
  c.header("Idempotency-Replayed", "true");
  return c.newResponse(body, status as StatusCode, headers);
}

function otherRequest(): ApiError {
  const details = "This Idempotency-Key was used for another request in the last 24 h. Use a new key.";
  return new ApiError(409, "CONFLICT", "The Idempotency-Key is taken", details);
}

function stillRunning(): ApiError {
  const details = "The first request with this Idempotency-Key still runs.";
  return new ApiError(409, "CONFLICT", "The request still runs", details, { "Retry-After": "5" });
}
