import { lookup as resolveName } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { type AllowList, isPublicAddress } from "./address.ts";

const LONGEST_URL = 2_048;

/** A URL that webhooks may not be sent to. The message says why, in words for the one who gave it. */
export class ForbiddenUrlError extends Error {
  override readonly name = "ForbiddenUrlError";
}

/** A host name that has no address now. */
export class UnknownHostError extends Error {
  override readonly name = "UnknownHostError";
}

/**
 * Judges where webhooks may be sent: not into private networks, unless the allow list names the host or the address. A name is resolved
 * once, and the connection goes to the very address that was judged, so that a name cannot point elsewhere in between.
 */
export class UrlGuard {
  readonly #allow: AllowList;

  constructor(allow: AllowList) {
    this.#allow = allow;
  }

  /**
   * @throws ForbiddenUrlError for what is no such URL and for a private address, UnknownHostError
   */
  async check(text: string): Promise<void> {
    const { hostname } = this.parse(text);
    if (isIP(hostname) === 0) await this.#resolve(hostname);
  }

  /**
   * The parts of a URL to connect to; an address in it is judged here, a name by {@link UrlGuard.lookup}.
   * @throws ForbiddenUrlError
   */
  parse(text: string): { url: URL; hostname: string } {
    const url = URL.parse(text);
    if (url === null || !["http:", "https:"].includes(url.protocol) || text.length > LONGEST_URL) {
      throw new ForbiddenUrlError(
        `must be a URL that begins with http:// or https://, of at most ${LONGEST_URL} characters`,
      );
    }
    if (url.username !== "" || url.password !== "") throw new ForbiddenUrlError("must not hold a user or a password");
    const hostname = url.hostname.replace(/^\[|\]$/g, "");
    if (isIP(hostname) !== 0) this.#judge(hostname, hostname);
    return { url, hostname };
  }

  /** For a connection: resolves a name to an address that may be used, or fails. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    this.#resolve(hostname).then(
      (found) => {
        const wanted = found.filter(({ family }) => !options.family || family === Number(options.family));
        const usable = wanted.length > 0 ? wanted : found;
        if (options.all) callback(null, usable);
        else callback(null, usable[0].address, usable[0].family);
      },
      (error) => callback(error, ""),
    );
  };

  /** Every address must be allowed: one private address among public ones is an attack or a mistake. */
  async #resolve(hostname: string): Promise<{ address: string; family: number }[]> {
    const found = await resolveName(hostname, { all: true }).catch((error) => {
      throw new UnknownHostError(`the host ${hostname} cannot be resolved`, { cause: error });
    });
    if (found.length === 0) throw new UnknownHostError(`the host ${hostname} has no address`);
    for (const { address } of found) this.#judge(hostname, address);
    return found;
  }

  #judge(hostname: string, address: string): void {
    if (isPublicAddress(address) || this.#allow.hasHost(hostname) || this.#allow.hasAddress(address)) return;
    throw new ForbiddenUrlError(
      `must not lead into a private network (${hostname === address ? address : `${hostname} is ${address}`}); ` +
        "SYNCLINE_WEBHOOK_ALLOW can name hosts, addresses and networks that are meant",
    );
  }
}
