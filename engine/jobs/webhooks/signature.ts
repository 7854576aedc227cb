import { Buffer } from "node:buffer";
import { createHmac, randomBytes } from "node:crypto";
import type { WebhookEvent } from "./types.ts";

const PREFIX = "whsec_";

/** A new secret: `whsec_` and the base64 of 32 random bytes. */
export function newSecret(): string {
  return PREFIX + randomBytes(32).toString("base64");
}

/** Whether a text is `whsec_` and the base64 of 24 to 64 bytes. */
export function isSecret(text: string): boolean {
  if (!text.startsWith(PREFIX)) return false;
  const bytes = Buffer.from(text.slice(PREFIX.length), "base64");
  return bytes.length >= 24 && bytes.length <= 64 && PREFIX + bytes.toString("base64") === text;
}

/**
 * The headers of a delivery as the Standard Webhooks specification has them: HMAC-SHA-256 over `id.timestamp.body`.
 * @param seconds since 1970
 */
export function signedHeaders(secret: string, event: WebhookEvent, seconds: number): Record<string, string> {
  const key = Buffer.from(secret.slice(PREFIX.length), "base64");
  const signature = createHmac("sha256", key).update(`${event.id}.${seconds}.${event.payload}`).digest("base64");
  return {
    "webhook-id": event.id,
    "webhook-timestamp": String(seconds),
    "webhook-signature": `v1,${signature}`,
  };
}
