import { EngineError } from "../errors.ts";
import type { ConnectionSpec, Engine } from "./types.ts";

/** What a connection string says, before it is checked: texts, as they stand in it. */
export interface ConnectionSettings {
  host?: string;
  port?: string;
  database?: string;
  user?: string;
  password?: string;
  ssl?: string;
  sslRootCertificate?: string;
  /** Seconds. */
  timeout?: string;
}

/** Refuses a connection string; `words` never hold a part of it that may belong to a password. */
export type Refuse = (words: string) => never;

/** Why the connection string in the field or option `name` cannot be used. */
export function refuser(name: string): Refuse {
  return (words) => {
    throw new EngineError("invalid", "The connection string is not valid", `${name}: ${words}`);
  };
}

export const SUPPORTED =
  "PostgreSQL (postgres://…), MySQL and MariaDB (mysql://…, mariadb://…) and SQLite (sqlite:/path)";

const ENGINES: ReadonlyMap<string, Engine> = new Map([
  ["postgres", "postgres"],
  ["postgresql", "postgres"],
  ["mysql", "mysql"],
  ["mariadb", "mysql"],
  ["sqlite", "sqlite"],
]);

const PORTS = { postgres: 5432, mysql: 3306 };

const SSL_MODES: ReadonlyMap<string, ConnectionSpec["ssl"]> = new Map([
  ["disable", "disable"],
  ["disabled", "disable"],
  ["none", "disable"],
  ["allow", "prefer"],
  ["prefer", "prefer"],
  ["preferred", "prefer"],
  ["require", "require"],
  ["required", "require"],
  ["verifyca", "verify-ca"],
  ["verifyfull", "verify-full"],
  ["verifyidentity", "verify-full"],
]);

/** Seconds, as ADO.NET has it. */
const CONNECT_TIMEOUT = 15;

/** The engine that a scheme or a provider names; undefined where it is not supported. */
export function engineNamed(name: string): Engine | undefined {
  return ENGINES.get(name.toLowerCase());
}

/** Checks the settings and fills in what they leave open. */
export function toSpec(engine: Engine, settings: ConnectionSettings, refuse: Refuse): ConnectionSpec {
  if (Object.values(settings).some((value) => value !== undefined && (value.includes("\0") || !value.isWellFormed()))) {
    refuse("it holds the character U+0000 or half a character.");
  }
  const connectTimeoutMs = seconds(settings.timeout, refuse) * 1000;
  if (engine === "sqlite") return { engine, database: file(settings, refuse), ssl: "disable", connectTimeoutMs };
  const { host = "localhost", database, user, password, sslRootCertificate } = settings;
  if (database === undefined) refuse("it names no database. For a SQLite file write sqlite:/path or Provider=sqlite.");
  if (/[,\s]/.test(host) && !host.startsWith("/")) refuse("it must name one host; its port goes into Port.");
  return {
    engine,
    host,
    port: port(settings.port, refuse) ?? PORTS[engine],
    database,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ssl: sslMode(settings.ssl, refuse),
    ...(sslRootCertificate === undefined ? {} : { sslRootCertificate }),
    connectTimeoutMs,
  };
}

function file(settings: ConnectionSettings, refuse: Refuse): string {
  const { host, database, timeout: _, ...others } = settings;
  if (Object.keys(others).length > 0) refuse("SQLite takes a path only, no port, user, password or certificate.");
  const path = host !== undefined && database !== undefined ? undefined : host ?? database;
  if (path === undefined) refuse("it must name the SQLite file once, such as sqlite:/path or Data Source=/path.");
  if (path.startsWith(":memory:")) refuse("a SQLite database in memory cannot be reached; name a file.");
  return path;
}

function port(text: string | undefined, refuse: Refuse): number | undefined {
  if (text === undefined) return undefined;
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > 65_535) refuse("the port must be a number from 1 to 65535.");
  return number;
}

function seconds(text: string | undefined, refuse: Refuse): number {
  if (text === undefined) return CONNECT_TIMEOUT;
  const number = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > 3600) refuse("the connect timeout must be whole seconds from 1 to 3600.");
  return number;
}

function sslMode(text: string | undefined, refuse: Refuse): ConnectionSpec["ssl"] {
  if (text === undefined) return "prefer";
  const mode = SSL_MODES.get(text.toLowerCase().replaceAll(/[\s_-]/g, ""));
  return mode ?? refuse("the SSL mode must be disable, prefer, require, verify-ca or verify-full.");
}
