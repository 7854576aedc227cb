import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

const BYTES = 32;

/** Signs links to objects of this server, so that who has one may read that object until it expires, and nothing else. */
export class LinkSigner {
  private constructor(private readonly secret: Uint8Array) {}

  /** @param file holds the secret, and is made where it is missing, closed to other users. */
  static async open(file: string): Promise<LinkSigner> {
    // Under its name only whole, wherever the process dies.
    const fresh = `${file}.new`;
    try {
      await Deno.lstat(file);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      await Deno.writeFile(fresh, randomBytes(BYTES), { mode: 0o600 });
      await Deno.rename(fresh, file);
    }
    const secret = await Deno.readFile(file);
    if (secret.length !== BYTES) throw new Error(`${file} is damaged: remove it, and links that were given out end`);
    return new LinkSigner(secret);
  }

  /** @param expires seconds since the epoch. */
  sign(key: string, expires: number): string {
    return createHmac("sha256", this.secret).update(`${expires}\n${key}`).digest("base64url");
  }

  /** Whether the signature is ours and has not expired; takes as long for any wrong one. */
  verify(key: string, expires: number, signature: string): boolean {
    const expected = new TextEncoder().encode(this.sign(key, expires));
    const given = new TextEncoder().encode(signature);
    return given.length === expected.length && timingSafeEqual(given, expected) && Date.now() < expires * 1000;
  }
}
