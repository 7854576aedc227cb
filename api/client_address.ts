/**
 * The address that failed authentication counts against: an IPv4 address, or the /64 that an IPv6 host can pick addresses
 * from at will. Headers such as `X-Forwarded-For` are the client's own words and count for nothing.
 */
export function clientAddress(address: Deno.Addr | undefined): string {
  if (address === undefined || !("hostname" in address)) return "local";
  const { hostname } = address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(hostname);
  if (mapped !== null) return mapped[1];
  return hostname.includes(":") ? `${expand(hostname).slice(0, 4).join(":")}::/64` : hostname;
}

/** The eight groups of an IPv6 address. */
function expand(address: string): string[] {
  const [head, tail] = address.split("%")[0].split("::").map((part) => part.split(":").filter((group) => group !== ""));
  if (tail === undefined) return head;
  return [...head, ...Array<string>(Math.max(0, 8 - head.length - tail.length)).fill("0"), ...tail];
}
