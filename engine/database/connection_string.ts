import { parsePairs } from "./connection_pairs.ts";
import { refuser } from "./connection_settings.ts";
import { parseUrl } from "./connection_url.ts";
import type { ConnectionSpec } from "./types.ts";

/**
 * Reads a connection string: a URL (`postgres://user:password@host:5432/database`, `mysql://…`, `mariadb://…`, `sqlite:/path`) or
 * `Key=Value;…` as ADO.NET has it. The path of a SQLite file and of a certificate stay as they were written: the caller resolves them.
 *
 * @param name the field or option that holds it, for the error
 * @throws EngineError `invalid`; it holds no part of the string that may belong to a password
 */
export function parseConnectionString(text: string, name: string): ConnectionSpec {
  const trimmed = text.trim();
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(trimmed)?.[1];
  return scheme === undefined ? parsePairs(trimmed, refuser(name)) : parseUrl(scheme, trimmed, refuser(name));
}

/** The database in words without a secret, as a connection string: for sessions, messages and logs. */
export function describeConnection(spec: ConnectionSpec): string {
  const { engine, host, port, database, user } = spec;
  if (engine === "sqlite") return `sqlite:${database.split("/").map(encodeURIComponent).join("/")}`;
  const name = user === undefined ? "" : `${encodeURIComponent(user)}@`;
  const address = host?.includes(":") && !host.startsWith("/") ? `[${host}]` : encodeURIComponent(host ?? "");
  return `${engine}://${name}${address}${port === undefined ? "" : `:${port}`}/${encodeURIComponent(database)}`;
}
