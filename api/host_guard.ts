import type { Guard } from "./envelope.ts";
import { type ApiError, invalidRequest } from "./errors.ts";

const NOT_IN_HOST = /[/?#\\@]/;

/**
 * Refuses a request that names no sane host. `Deno.serve` puts `Host` in front of the path as it is: a slash or a question mark
 * in it would route another path than the one sent, and a URL that cannot be parsed would fail later.
 */
export function hostGuard(): Guard {
  // Clients name one host again and again, and parsing it costs 1 µs.
  let lastSane = "";
  return (_, request) => {
    const { url } = request;
    const origin = url.slice(0, url.indexOf("/", url.indexOf(":") + 3));
    const host = request.headers.get("host");
    if (host !== null && NOT_IN_HOST.test(host)) throw insane();
    if (origin === lastSane) return;
    if (!URL.canParse(origin)) throw insane();
    lastSane = origin;
  };
}

function insane(): ApiError {
  return invalidRequest("The header Host must be a host's name or address, with or without a port.");
}
