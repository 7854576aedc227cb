import type { Result, Router } from "hono/router";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { SmartRouter } from "hono/router/smart-router";
import { TrieRouter } from "hono/router/trie-router";

/**
 * Hono's own choice of routers, with the matches of paths without parameters remembered. `session/start` beside
 * `session/:sessionId` makes Hono fall back to its slower router, for every path.
 */
export class StaticRouteCache<T> implements Router<T> {
  readonly name = "StaticRouteCache";
  readonly #router = new SmartRouter<T>({ routers: [new RegExpRouter(), new TrieRouter()] });
  readonly #plain = new Set<string>();
  readonly #matches = new Map<string, Map<string, Result<T>>>();

  add(method: string, path: string, handler: T): void {
    this.#router.add(method, path, handler);
    if (/[:*{]/.test(path)) return;
    this.#plain.add(path);
  }

  match(method: string, path: string): Result<T> {
    if (!this.#plain.has(path)) return this.#router.match(method, path);
    // Few methods for each: an unknown one is not remembered, so that clients cannot fill the memory.
    const known = this.#matches.get(path)?.get(method);
    if (known !== undefined) return known;
    const match = this.#router.match(method, path);
    if (method !== "GET" && method !== "POST") return match;
    const matches = this.#matches.get(path) ?? new Map<string, Result<T>>();
    this.#matches.set(path, matches.set(method, match));
    return match;
  }
}
