import type { Dialect } from "./dialect.ts";
import type { Engine } from "./types.ts";

/** Loads an engine's dialect: most workers never need one. */
export async function loadDialect(engine: Engine): Promise<Dialect> {
  switch (engine) {
    case "mysql":
      return (await import("./mysql/dialect.ts")).mysql;
    case "postgres":
      return (await import("./postgres/dialect.ts")).postgres;
    case "sqlite":
      return (await import("./sqlite/dialect.ts")).sqlite;
    default:
      throw new Error(`Cannot load the dialect of ${engine}`);
  }
}
