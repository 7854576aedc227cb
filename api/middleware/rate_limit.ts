import { rateLimited, takeRate } from "../rate_headers.ts";
import { RateWindow } from "../rate_window.ts";
import type { Guard } from "./guarded.ts";

/** Limits the requests of each API key; comes after `authentication`. */
export function rateLimit(limit: number): Guard {
  const window = new RateWindow({ limit });
  return (c) => {
    const rate = takeRate(window, "default", c.get("key").id);
    c.set("rate", rate);
    if (!rate.allowed) throw rateLimited(rate, `This API key may send ${limit} requests a minute.`);
  };
}
