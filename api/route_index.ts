import type { RouterRoute } from "hono/types";

/** Which methods a path takes, sorted, by the patterns of the routes that answer; none for an unknown path. */
export function routeIndex(routes: readonly RouterRoute[]): (path: string) => string[] {
  const methods = new Map<string, { pattern: RegExp; methods: Set<string> }>();
  for (const { method, path } of routes) {
    if (method === "ALL" || path.endsWith("*")) continue;
    const entry = methods.get(path) ?? { pattern: toPattern(path), methods: new Set() };
    entry.methods.add(method);
    if (method === "GET") entry.methods.add("HEAD");
    methods.set(path, entry);
  }
  return (path) => {
    const found = [...methods.values()].filter(({ pattern }) => pattern.test(path)).flatMap((
      { methods },
    ) => [...methods]);
    return [...new Set(found)].sort();
  };
}

/** Patterns have whole segments as parameters only: `/a/:b/c`. */
function toPattern(path: string): RegExp {
  return new RegExp(`^${path.replace(/[.+?^$()[\]{}|\\]/g, "\\$&").replace(/:[^/]+/g, "[^/]+")}$`);
}
