import type { Connection, Dialect, ServerInfo, Snapshot, Writer } from "../dialect.ts";
import { DatabaseError } from "../error.ts";
import type { Column, ConnectionSpec, Form, Table } from "../types.ts";
import { carrier } from "./carrier.ts";
import { creation } from "./creation.ts";
import { findTable } from "./describe.ts";
import { directCopy } from "./direct_copy.ts";
import { rendersInSql } from "./expressions.ts";
import { Lanes } from "./lanes.ts";
import { Session } from "./session.ts";
import { PostgresSnapshot } from "./snapshot.ts";
import { PostgresWriter } from "./writer.ts";

/** The oldest with all that is used here: hashes of records, `trim_scale`, infinite numerics. */
const OLDEST = 14;

/** PostgreSQL, and what speaks its protocol and has its catalogue. */
export const postgres: Dialect = {
  engine: "postgres",
  direct: { copy: directCopy, carrier },
  async connect(spec, signal) {
    const session = await Session.open(spec, signal);
    try {
      return new PostgresConnection(session, spec, signal, await serverInfo(session));
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
  },
};

async function serverInfo(session: Session): Promise<ServerInfo> {
  const [[number, version]] = await session.query(
    "select current_setting('server_version_num'), current_setting('server_version')",
  );
  const major = Math.floor(Number(number) / 10_000);
  if (major < OLDEST) {
    throw new DatabaseError("other", `PostgreSQL ${version} is too old: ${OLDEST} or newer is needed`, {
      aborts: true,
    });
  }
  return { engine: "postgres", version: `PostgreSQL ${(version as string).split(" ")[0]}`, major };
}

class PostgresConnection implements Connection {
  readonly server: ServerInfo;
  readonly #session: Session;
  readonly #spec: ConnectionSpec;
  readonly #signal: AbortSignal;
  readonly #opened = new Set<AsyncDisposable>();

  constructor(session: Session, spec: ConnectionSpec, signal: AbortSignal, server: ServerInfo) {
    this.#session = session;
    this.#spec = spec;
    this.#signal = signal;
    this.server = server;
  }

  find(entity: string): Promise<Table> {
    return findTable(this.#session, entity);
  }

  rendersInSql(column: Column, form: Form): boolean {
    return rendersInSql(column, form);
  }

  async snapshot(atOnce: number): Promise<Snapshot> {
    const lanes = await Lanes.open(this.#spec, this.#signal, atOnce);
    this.#opened.add(lanes);
    return new PostgresSnapshot(lanes);
  }

  async writer(): Promise<Writer> {
    const session = await Session.open(this.#spec, this.#signal);
    this.#opened.add(session);
    return new PostgresWriter(session);
  }

  creation(table: Table): { statements: string[]; notes: string[] } {
    return creation(table);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#opened, this.#session].map((opened) => opened[Symbol.asyncDispose]()));
  }
}
