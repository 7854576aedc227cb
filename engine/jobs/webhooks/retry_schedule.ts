import type { DeliveryFate, DueDelivery } from "./types.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Between one try and the next: a bit over a day in all. */
const PAUSES = [
  5 * SECOND,
  5 * MINUTE,
  25 * MINUTE,
  90 * MINUTE,
  3 * HOUR,
  5 * HOUR,
  4 * HOUR,
  6 * HOUR,
  4 * HOUR,
];
const LONGEST_ASKED = 24 * HOUR;
/** Up to this part of a pause is added by chance, so that what failed at once is not tried at once again. */
const JITTER = 0.1;

/**
 * When a delivery that has just failed is tried again, at the earliest when the receiver asked for it; undefined after the last try.
 * Pauses count from the try before, so that a server that was down for hours does not use up its tries in seconds.
 */
export function retryAt(
  { attempts }: Pick<DueDelivery, "attempts">,
  now: number,
  retryAfterMs: number | null,
): DeliveryFate | undefined {
  if (attempts >= PAUSES.length) return undefined;
  const planned = PAUSES[attempts] * (1 + JITTER * Math.random());
  const asked = Math.min(retryAfterMs ?? 0, LONGEST_ASKED);
  return { status: "pending", nextAttemptAt: now + Math.ceil(Math.max(planned, asked)) };
}
