import { Buffer } from "node:buffer";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { ForbiddenUrlError, type UrlGuard } from "./guard.ts";
import { signedHeaders } from "./signature.ts";
import type { DueDelivery } from "./types.ts";

const TRY_MS = 20_000;
/** Of an answer's body no more is read: nobody looks at it. */
const MAX_ANSWER_BYTES = 64 * 1024;
const IDLE_SOCKETS = 8;

/** How a try went. */
export interface SendOutcome {
  /** Null where there was no answer. */
  statusCode: number | null;
  /** Null: delivered. */
  error: string | null;
  /** The receiver's wish, as `Retry-After` tells it. */
  retryAfterMs: number | null;
}

/** Sends deliveries over connections that stay open between them. */
export class WebhookSender {
  readonly #guard: UrlGuard;
  readonly #plain: http.Agent;
  readonly #secure: https.Agent;

  constructor(guard: UrlGuard) {
    this.#guard = guard;
    this.#plain = new http.Agent({ keepAlive: true, maxFreeSockets: IDLE_SOCKETS, timeout: TRY_MS });
    this.#secure = new https.Agent({ keepAlive: true, maxFreeSockets: IDLE_SOCKETS, timeout: TRY_MS });
  }

  /** One try: delivered where the answer is 2xx within 20 s. Redirects are not followed. Never rejects. */
  async send(delivery: DueDelivery, signal: AbortSignal): Promise<SendOutcome> {
    try {
      const answer = await this.#post(delivery, AbortSignal.any([signal, AbortSignal.timeout(TRY_MS)]));
      const { statusCode = 0 } = answer;
      if (statusCode >= 200 && statusCode < 300) return { statusCode, error: null, retryAfterMs: null };
      return { statusCode, error: `The receiver answered ${statusCode}`, retryAfterMs: retryAfter(answer) };
    } catch (error) {
      return { statusCode: null, error: describe(error), retryAfterMs: null };
    }
  }

  close(): void {
    this.#plain.destroy();
    this.#secure.destroy();
  }

  #post({ url: text, secret, event }: DueDelivery, signal: AbortSignal): Promise<IncomingMessage> {
    const { url, hostname } = this.#guard.parse(text);
    const isSecure = url.protocol === "https:";
    const body = Buffer.from(event.payload);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const request = (isSecure ? https : http).request({
      method: "POST",
      hostname,
      port: url.port || (isSecure ? 443 : 80),
      path: url.pathname + url.search,
      agent: isSecure ? this.#secure : this.#plain,
      lookup: this.#guard.lookup,
      headers: {
        "content-type": "application/json",
        "content-length": body.length,
        "user-agent": "Syncline",
        ...signedHeaders(secret, event, Math.floor(Date.now() / 1_000)),
      },
    }, (answer) => {
      let bytes = 0;
      answer.on("data", (part: Uint8Array) => {
        bytes += part.length;
        if (bytes <= MAX_ANSWER_BYTES) return;
        resolve(answer);
        request.destroy();
      });
      answer.on("end", () => resolve(answer));
      answer.on("error", reject);
    });
    const stop = () => {
      reject(signal.reason);
      request.destroy();
    };
    request.on("error", reject);
    request.on("close", () => reject(new Error("the connection was closed")));
    signal.addEventListener("abort", stop, { once: true });
    request.end(body);
    return promise.finally(() => signal.removeEventListener("abort", stop));
  }
}

function retryAfter(answer: IncomingMessage): number | null {
  const value = answer.headers["retry-after"];
  if (value === undefined) return null;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? ms : null;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `The receiver did not answer within ${TRY_MS / 1_000} s`;
  if (error instanceof ForbiddenUrlError) return `The URL ${error.message}`;
  return `The receiver cannot be reached: ${error.message}`.slice(0, 500);
}
