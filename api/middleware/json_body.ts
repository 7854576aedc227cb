import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../environment.ts";
import { ApiError, invalidRequest } from "../errors.ts";
import { nestingDepth } from "../nesting_depth.ts";

const MAX_BYTES = 1024 * 1024;
const MAX_DEPTH = 64;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json *(?:;|$)/i;

export interface JsonBodyOptions {
  /** How long a body may take to arrive, in ms; default 60,000. A client that stops sending would be waited for until it closes. */
  timeoutMs?: number;
}

/**
 * Reads the body of a request once, never more than 1 MiB of it, and lets only JSON of bounded depth through. Leaves the bytes in
 * `body` and a request that can be read again.
 */
export function jsonBody({ timeoutMs = 60_000 }: JsonBodyOptions = {}): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { url, headers: given, body } = c.req.raw;
    const bytes = await readBounded(c.req.raw, timeoutMs);
    c.set("body", bytes);
    const headers = new Headers(given);
    if (bytes.length > 0) {
      if (!JSON_TYPE.test(given.get("content-type") ?? "")) {
        throw invalidRequest("The body must be JSON, sent with the header Content-Type: application/json.");
      }
      if ((given.get("content-encoding") ?? "identity") !== "identity") {
        throw invalidRequest("The body must not be compressed: send it without Content-Encoding.");
      }
      checkJson(bytes);
      headers.set("content-type", "application/json");
      c.req.raw = new Request(url, { method: c.req.method, headers, body: bytes });
    } else if (body !== null) {
      // An empty body is none, whatever type it is said to have.
      headers.delete("content-type");
      c.req.raw = new Request(url, { method: c.req.method, headers });
    }
    await next();
  };
}

async function readBounded(request: Request, timeoutMs: number): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get("content-length")) > MAX_BYTES) throw tooLarge();
  if (request.body === null) return new Uint8Array(0);
  const reader = request.body.getReader();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(invalidRequest(`The body did not arrive within ${timeoutMs / 1000} s.`));
  }, timeoutMs);
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late]);
      if (done) break;
      length += value.length;
      if (length > MAX_BYTES) throw tooLarge();
      pieces.push(value);
    }
  } catch (error) {
    abandon(reader);
    // The client is gone or broke the transfer off; there may be nobody left to read this.
    throw error instanceof ApiError ? error : invalidRequest("The body ended before it was complete.");
  } finally {
    clearTimeout(timer);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  return bytes;
}

/** Reads no further. */
function abandon(reader: ReadableStreamDefaultReader<Uint8Array>): void {
  reader.cancel().catch(() => {
    // It failed already, which is why it is abandoned.
  });
}

function checkJson(bytes: Uint8Array): void {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw invalidRequest("The body is not valid UTF-8.");
  }
  if (nestingDepth(text) > MAX_DEPTH) throw invalidRequest(`The body is nested over ${MAX_DEPTH} levels deep.`);
  try {
    JSON.parse(text);
  } catch (error) {
    // The engine's message quotes the body, which may hold secrets: only the place is passed on.
    const place = error instanceof SyntaxError ? /\(line \d+ column \d+\)/.exec(error.message)?.[0] ?? "" : "";
    throw invalidRequest(`The body is not valid JSON${place && ` ${place}`}.`);
  }
}

function tooLarge(): ApiError {
  const details = `A JSON body may have at most ${MAX_BYTES} bytes.`;
  return new ApiError(413, "PAYLOAD_TOO_LARGE", "The body is too large", details);
}
