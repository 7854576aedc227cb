import type { Dialect } from "./dialect.ts";
import type { Engine } from "./types.ts";

/** Loads an engine's dialect: most workers never need one. */
export function loadDialect(engine: Engine): Promise<Dialect> {
  throw new Error(`Cannot load the dialect of ${engine}`);
}
