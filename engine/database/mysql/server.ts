import type { ServerInfo } from "../dialect.ts";
import type { ConnectionSpec } from "../types.ts";
import { Session } from "./session.ts";

/** What is known of a server from the first connection to it. */
export interface ServerFacts {
  info: ServerInfo;
  mariadb: boolean;
  /** The longest statement that it takes, in bytes. */
  maxPacket: number;
  /** Whether it takes LOAD DATA LOCAL. */
  localInfile: boolean;
  /** Whether changes are logged as statements, for which InnoDB needs REPEATABLE READ. */
  logsStatements: boolean;
  /** The collation by which texts are equal that have the same bytes, and no others. */
  exactCollation: string;
  hasUuid: boolean;
  /** The most digits after a decimal's point. */
  mostScale: number;
}

/**
 * Strict, so that no value is changed to fit. Zero dates pass, since servers of this kind hold them; no value of another engine is one.
 * NO_AUTO_VALUE_ON_ZERO keeps a 0 in a numbered column.
 */
const SQL_MODE = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO";
/** A reader may be slow, and a transaction may wait for another server. */
const PATIENCE_SECONDS = 86_400;

const SETTINGS = [
  // Some servers do not heed what a client says of its character set when it connects.
  "character_set_client = utf8mb4",
  "character_set_results = utf8mb4",
  "collation_connection = utf8mb4_bin",
  "autocommit = 1",
  "completion_type = 'NO_CHAIN'",
  "time_zone = '+00:00'",
  `sql_mode = '${SQL_MODE}'`,
  `net_write_timeout = ${PATIENCE_SECONDS}`,
  `net_read_timeout = ${PATIENCE_SECONDS}`,
  `wait_timeout = ${PATIENCE_SECONDS}`,
  "sql_select_limit = DEFAULT",
  "sql_safe_updates = 0",
  "sql_big_selects = 1",
  "sql_auto_is_null = 0",
  "sql_notes = 1",
  "max_error_count = 64",
  "unique_checks = 1",
  "foreign_key_checks = 1",
];
const MARIADB_SETTINGS = ["max_statement_time = 0", "check_constraint_checks = 1"];
const MYSQL_SETTINGS = ["max_execution_time = 0"];

/** Connects, asks the server what it is and sets the session. */
export async function openFirst(
  spec: ConnectionSpec,
  signal: AbortSignal,
): Promise<{ session: Session; server: ServerFacts }> {
  const session = await Session.open(spec, signal);
  try {
    const server = await ask(session);
    await set(session, server);
    return { session, server };
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

/** Another connection to a server that is known. */
export async function openSession(spec: ConnectionSpec, server: ServerFacts, signal: AbortSignal): Promise<Session> {
  const session = await Session.open(spec, signal);
  try {
    await set(session, server);
    return session;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

async function set(session: Session, { mariadb }: ServerFacts): Promise<void> {
  const settings = [...SETTINGS, ...(mariadb ? MARIADB_SETTINGS : MYSQL_SETTINGS)];
  await session.run(`SET ${settings.map((setting) => `SESSION ${setting}`).join(", ")}`);
}

async function ask(session: Session): Promise<ServerFacts> {
  const names = ["version", "max_allowed_packet", "local_infile", "log_bin", "binlog_format"];
  const list = names.map((name) => `'${name}'`).join(", ");
  const variables = new Map(
    (await session.rows(`SHOW VARIABLES WHERE Variable_name IN (${list})`)).map(([name, value]) => [name!, value!]),
  );
  const version = variables.get("version") ?? "";
  const mariadb = /mariadb/i.test(version);
  // Replication made some servers of MariaDB put this before their own number.
  const number = /^(\d+)\.[\d.]*\d/.exec(version.replace(/^5\.5\.5-(?=\d)/, ""));
  const major = Number(number?.[1] ?? 0);
  const minor = Number(/^\d+\.(\d+)/.exec(number?.[0] ?? "")?.[1] ?? 0);
  return {
    info: {
      engine: "mysql",
      version: `${mariadb ? "MariaDB" : "MySQL"} ${number?.[0] ?? version}`,
      major,
    },
    mariadb,
    maxPacket: Number(variables.get("max_allowed_packet")),
    localInfile: variables.get("local_infile") === "ON",
    logsStatements: variables.get("log_bin") === "ON" && variables.get("binlog_format") === "STATEMENT",
    exactCollation: mariadb ? "utf8mb4_nopad_bin" : major >= 8 ? "utf8mb4_0900_bin" : "utf8mb4_bin",
    hasUuid: mariadb && (major > 10 || major === 10 && minor >= 7),
    mostScale: mariadb ? 38 : 30,
  };
}
