/** Session events as a stream of server-sent events. */
import { isCancellation } from "../engine/errors.ts";
import type { SessionEvent } from "../engine/jobs/mod.ts";

const HEARTBEAT_MS = 15_000;

export interface EventStreamOptions {
  /** Opens the source; its signal fires when nobody listens any more. What it throws, {@link eventStream} throws. */
  events(signal: AbortSignal): AsyncIterable<SessionEvent>;
  /** Ends the stream. */
  stopping: AbortSignal;
  /** Told of a failure of the source, which breaks the stream off. */
  onError(error: unknown): void;
  /** Default 15,000. */
  heartbeatMs?: number;
}

/**
 * Pulls one event for each that the client has taken, so a slow client holds nothing back but itself. A comment goes out
 * where nothing happened for a while, so that proxies keep the connection and a dead one is noticed.
 */
export function eventStream(options: EventStreamOptions): ReadableStream<Uint8Array> {
  const { stopping, onError, heartbeatMs = HEARTBEAT_MS } = options;
  const gone = new AbortController();
  const signal = AbortSignal.any([gone.signal, stopping]);
  const encoder = new TextEncoder();
  let iterator: AsyncIterator<SessionEvent>;
  let heartbeat: ReturnType<typeof setInterval> | undefined;

  return new ReadableStream<Uint8Array>({
    start(controller) {
      iterator = options.events(signal)[Symbol.asyncIterator]();
      controller.enqueue(encoder.encode(": open\n\n"));
      heartbeat = setInterval(() => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(": alive\n\n"));
      }, heartbeatMs);
    },
    async pull(controller) {
      try {
        const { done, value } = await iterator.next();
        // A stream that its reader has cancelled is closed already.
        if (gone.signal.aborted) return;
        if (done !== true) return controller.enqueue(encoder.encode(format(value)));
        clearInterval(heartbeat);
        controller.close();
      } catch (error) {
        clearInterval(heartbeat);
        if (signal.aborted && (isCancellation(error) || error === signal.reason)) {
          if (!gone.signal.aborted) controller.close();
          return;
        }
        onError(error);
        controller.error(error);
      }
    },
    cancel() {
      clearInterval(heartbeat);
      gone.abort();
    },
  });
}

function format({ id, type, session }: SessionEvent): string {
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(session)}\n\n`;
}
