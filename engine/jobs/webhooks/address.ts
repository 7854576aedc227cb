import { BlockList, isIP } from "node:net";

/**
 * Networks that a server on the internet has no business in, and through which a webhook could reach what only this machine can:
 * IANA's special-purpose registries (RFC 6890 and its updates), multicast, and IPv6 forms that carry an IPv4 address.
 */
const NOT_PUBLIC = networks([
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
]);

/** Of IPv6 only the global unicast block is public. */
const GLOBAL_UNICAST = networks(["2000::/3"]);
const NOT_PUBLIC_IN_IT = networks(["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]);

/** Whether an IP address is one that anybody on the internet could reach. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 4) return !NOT_PUBLIC.check(address, "ipv4");
  return isIP(address) === 6 && GLOBAL_UNICAST.check(address, "ipv6") && !NOT_PUBLIC_IN_IT.check(address, "ipv6");
}

/** What `SYNCLINE_WEBHOOK_ALLOW` names: host names, addresses and networks that webhooks may reach although they are private. */
export class AllowList {
  readonly #hosts: Set<string>;
  readonly #networks: BlockList;

  /** @throws TypeError for an entry that is neither; {@link isAllowEntry} tells beforehand */
  constructor(entries: string[]) {
    this.#hosts = new Set(entries.filter((entry) => isHostName(entry)).map((entry) => entry.toLowerCase()));
    this.#networks = networks(entries.filter((entry) => !isHostName(entry)));
  }

  hasHost(host: string): boolean {
    return this.#hosts.has(host.toLowerCase());
  }

  hasAddress(address: string): boolean {
    return this.#networks.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
  }
}

/** Whether a text is a host name, an IP address or a network such as `10.0.0.0/8`. */
export function isAllowEntry(entry: string): boolean {
  if (isHostName(entry)) return true;
  const [address, bits, ...rest] = entry.split("/");
  const most = { 4: 32, 6: 128 }[isIP(address)];
  if (most === undefined || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
}

function isHostName(entry: string): boolean {
  return isIP(entry) === 0 && /^(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/i.test(entry) && !/(^|\.)\d+$/.test(entry);
}

function networks(list: string[]): BlockList {
  const blocks = new BlockList();
  for (const entry of list) {
    const [address, bits] = entry.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (bits === undefined) blocks.addAddress(address, family);
    else blocks.addSubnet(address, Number(bits), family);
  }
  return blocks;
}
