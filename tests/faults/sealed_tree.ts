/**
 * A tree whose files prove themselves: each begins with the SHA-256 of all that follows, so that a reader who knows
 * nothing else can tell a whole file, of whatever version, from a part or a mixture.
 */
import { createHash } from "node:crypto";
import type { Random } from "../harness/random.ts";

const SEAL_BYTES = 64;

/** Whether the content is a whole file of a sealed tree. */
export function isWhole(content: Uint8Array): boolean {
  const seal = new TextDecoder().decode(content.subarray(0, SEAL_BYTES));
  return content.length > SEAL_BYTES && seal === digest(content.subarray(SEAL_BYTES));
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export class SealedTree {
  readonly root: string;
  readonly #random: Random;
  readonly #files = new Set<string>();
  #serial = 0;

  constructor(root: string, random: Random) {
    this.root = root;
    this.#random = random;
  }

  get files(): readonly string[] {
    return [...this.#files];
  }

  /** Adds `count` files in directories of up to some dozens. */
  async grow(count: number): Promise<void> {
    for (let made = 0; made < count; made++) {
      const serial = this.#serial++;
      const directory = `dir-${serial % 97}${serial % 3 === 0 ? "/deeper" : ""}`;
      await Deno.mkdir(`${this.root}/${directory}`, { recursive: true });
      await this.#write(`${directory}/file-${serial}`);
    }
  }

  /** Gives about one in `n` of the files another content. */
  async rewrite(n: number): Promise<void> {
    for (const path of this.#files) {
      if (this.#random.oneIn(n)) await this.#write(path);
    }
  }

  /** Removes about one in `n` of the files. */
  async remove(n: number): Promise<void> {
    for (const path of this.files) {
      if (!this.#random.oneIn(n)) continue;
      await Deno.remove(`${this.root}/${path}`);
      this.#files.delete(path);
    }
  }

  async #write(path: string): Promise<void> {
    // Some are larger than one write of any sane copier.
    const size = this.#random.oneIn(200) ? 3_000_000 + this.#random.below(3_000_000) : 1 + this.#random.below(12_000);
    const body = this.#random.bytes(Math.min(size, 4_096));
    const content = new Uint8Array(SEAL_BYTES + size);
    for (let at = SEAL_BYTES; at < content.length; at += body.length) {
      content.set(body.subarray(0, content.length - at), at);
    }
    content.set(new TextEncoder().encode(digest(content.subarray(SEAL_BYTES))));
    await Deno.writeFile(`${this.root}/${path}`, content);
    this.#files.add(path);
  }
}
