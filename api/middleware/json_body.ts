import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../environment.ts";
import { ApiError, invalidRequest } from "../errors.ts";
import { nestingDepth } from "../nesting_depth.ts";

const MAX_BYTES = 1024 * 1024;
const MAX_DEPTH = 64;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json *(?:;|$)/i;

/**
 * Reads the body of a POST once, never more than 1 MiB of it, and lets only JSON of bounded depth through. Leaves the bytes in
 * `body` and a request that can be read again.
 */
export const jsonBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { url, headers: given, body } = c.req.raw;
  const bytes = await readBounded(c.req.raw);
  c.set("body", bytes);
  const headers = new Headers(given);
  if (bytes.length > 0) {
    if (!JSON_TYPE.test(c.req.header("content-type") ?? "")) {
      throw invalidRequest("The body must be JSON, sent with the header Content-Type: application/json.");
    }
    checkJson(bytes);
    headers.set("content-type", "application/json");
    c.req.raw = new Request(url, { method: "POST", headers, body: bytes });
  } else if (body !== null) {
    // An empty body is none, whatever type it is said to have.
    headers.delete("content-type");
    c.req.raw = new Request(url, { method: "POST", headers });
  }
  await next();
};

async function readBounded(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get("content-length")) > MAX_BYTES) throw tooLarge();
  if (request.body === null) return new Uint8Array(0);
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const piece of request.body) {
      length += piece.length;
      if (length > MAX_BYTES) throw tooLarge();
      pieces.push(piece);
    }
  } catch (error) {
    // The client is gone or broke the transfer off; there may be nobody left to read this.
    throw error instanceof ApiError ? error : invalidRequest("The body ended before it was complete.");
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  return bytes;
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
