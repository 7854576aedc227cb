import type { Context } from "hono";
import { isCancellation } from "../engine/errors.ts";
import type { AppDependencies, AppEnv } from "./environment.ts";

/**
 * An answer that streams. What fails on the way breaks the transfer off, so that the client notices, and is logged. A HEAD gets
 * the headers, and the stream is cancelled.
 */
export async function streamAnswer<Status extends 200 | 206>(
  c: Context<AppEnv>,
  body: ReadableStream<Uint8Array>,
  status: Status,
  headers: Record<string, string>,
  { logger }: Pick<AppDependencies, "logger">,
) {
  if (c.req.method === "HEAD") {
    await body.cancel();
    return c.body(null, status, headers);
  }
  const { requestId } = c.env;
  return c.body(watched(body, (error) => logger.error("an answer broke off", { requestId, error })), status, headers);
}

/** The same stream, whose failures are reported. */
function watched(body: ReadableStream<Uint8Array>, report: (error: unknown) => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        if (!isCancellation(error)) report(error);
        throw error;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
