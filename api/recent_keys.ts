import type { ApiKey, KeyStore, Scope } from "../engine/state/mod.ts";

export interface RecentKeysOptions {
  /** Tokens remembered at once, default 1,000; one more and all are forgotten. */
  maxTokens?: number;
  /** Milliseconds since the epoch; for tests. */
  now?: () => number;
}

/**
 * A store of keys that remembers the tokens it found, which spares each request a SHA-256 (2 µs). Only valid tokens are
 * remembered, in memory alone. Every deletion must go through it: from its call on, nothing remembered is trusted.
 */
export class RecentKeys implements KeyStore {
  readonly #keys: KeyStore;
  readonly #maxTokens: number;
  readonly #now: () => number;
  readonly #byToken = new Map<string, ApiKey>();
  #touched = { id: "", at: 0 };

  constructor(keys: KeyStore, { maxTokens = 1_000, now = Date.now }: RecentKeysOptions = {}) {
    this.#keys = keys;
    this.#maxTokens = maxTokens;
    this.#now = now;
  }

  findByToken(token: string): ApiKey | undefined {
    const known = this.#byToken.get(token);
    if (known !== undefined) return known;
    const key = this.#keys.findByToken(token);
    if (key === undefined) return undefined;
    if (this.#byToken.size >= this.#maxTokens) this.#byToken.clear();
    this.#byToken.set(token, key);
    return key;
  }

  /** Passed on once a millisecond, which is as finely as the time of a use is kept. */
  touch(id: string): void {
    const at = this.#now();
    if (this.#touched.at === at && this.#touched.id === id) return;
    this.#touched = { id, at };
    this.#keys.touch(id);
  }

  list(): ApiKey[] {
    return this.#keys.list();
  }

  create(input: { name: string; scopes: Scope[]; token?: string }): Promise<{ key: ApiKey; token: string }> {
    return this.#keys.create(input);
  }

  async delete(id: string): Promise<boolean> {
    const deletion = this.#keys.delete(id);
    this.#byToken.clear();
    try {
      return await deletion;
    } finally {
      // A deletion that failed may have put another object in the key's place.
      this.#byToken.clear();
    }
  }
}
