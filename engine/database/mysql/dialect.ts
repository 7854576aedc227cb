/** The dialect for MySQL and MariaDB. */
import type { Connection, Dialect } from "../dialect.ts";
import type { Column, ConnectionSpec, Form, Table } from "../types.ts";
import { findTable } from "./catalogue.ts";
import { openConsistent } from "./consistent.ts";
import { type Creation, creationOf } from "./creation.ts";
import { render } from "./render.ts";
import { openFirst, openSession, type ServerFacts } from "./server.ts";
import type { Session } from "./session.ts";
import { MySqlSnapshot } from "./snapshot.ts";
import { MySqlWriter } from "./writer.ts";

export const mysql: Dialect = {
  engine: "mysql",
  async connect(spec, signal) {
    signal.throwIfAborted();
    const { session, server } = await openFirst(spec, signal);
    return new MySqlConnection(spec, signal, session, server);
  },
};

class MySqlConnection implements Connection {
  readonly #spec: ConnectionSpec;
  readonly #signal: AbortSignal;
  readonly #session: Session;
  readonly #server: ServerFacts;
  readonly #opened: AsyncDisposable[] = [];

  constructor(spec: ConnectionSpec, signal: AbortSignal, session: Session, server: ServerFacts) {
    this.#spec = spec;
    this.#signal = signal;
    this.#session = session;
    this.#server = server;
  }

  get server() {
    return this.#server.info;
  }

  find(entity: string): Promise<Table> {
    return findTable(this.#session, entity);
  }

  rendersInSql(column: Column, form: Form): boolean {
    return render(column, form).inSql;
  }

  async snapshot(atOnce: number): Promise<MySqlSnapshot> {
    const sessions = await openConsistent(this.#spec, this.#server, this.#signal, atOnce);
    return this.#track(new MySqlSnapshot(sessions));
  }

  async writer(): Promise<MySqlWriter> {
    const session = await openSession(this.#spec, this.#server, this.#signal);
    try {
      return this.#track(await MySqlWriter.open(session, this.#server));
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
  }

  creation(table: Table): Creation {
    return creationOf(table, this.#server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#opened, this.#session];
    await Promise.all(all.map((each) => each[Symbol.asyncDispose]()));
  }

  #track<T extends AsyncDisposable>(opened: T): T {
    this.#opened.push(opened);
    return opened;
  }
}
