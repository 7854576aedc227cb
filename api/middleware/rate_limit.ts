import { rateLimited, takeRate } from "../rate_headers.ts";
import { callerOf } from "./authentication.ts";
import { RateWindow } from "../rate_window.ts";
import type { Guard } from "../envelope.ts";

/** Limits the requests of each API key; comes after `authentication`. */
export function rateLimit(limit: number): Guard {
  const window = new RateWindow({ limit });
  return (exchange) => {
    const rate = takeRate(window, "default", callerOf(exchange).id);
    exchange.rate = rate;
    if (!rate.allowed) throw rateLimited(rate, `This API key may send ${limit} requests a minute.`);
  };
}
