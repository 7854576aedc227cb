import mysql, { type Connection, type ResultSetHeader, type TypeCastField } from "mysql2";
import * as net from "node:net";
import type { Readable } from "node:stream";
import type { ConnectionSpec, Row } from "../types.ts";
import type { DatabaseError } from "../error.ts";
import { databaseError } from "./error.ts";
import { tlsOptions } from "./tls.ts";

/** What a statement without rows did. */
export interface Outcome {
  affectedRows: number;
  warnings: number;
  /** The server's words, such as `Records: 3  Duplicates: 0  Warnings: 0`. */
  info: string;
}

/** Rows that a stream may hold for its reader beyond the batch in hand. */
const BATCHES_AHEAD = 2;
/** Characters after which a batch is full whatever its number of rows. */
export const BATCH_CHARACTERS = 4 << 20;
const KILL_TIMEOUT_MS = 5_000;
const QUIT_TIMEOUT_MS = 1_000;

const PORT = 3306;

function lostConnection(): DatabaseError {
  return databaseError(new Error("the connection was lost"));
}

/** One connection. Every value comes as the text that the server sends. Statements run one after the other, in the order of the calls. */
export class Session implements AsyncDisposable {
  readonly #spec: ConnectionSpec;
  readonly #signal: AbortSignal;
  readonly #connection: Connection;
  readonly #socket: net.Socket;
  readonly #failed = Promise.withResolvers<never>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #onAbort = () => this.#abort();
  #running = 0;
  #ended = false;
  #killing: Promise<void> | undefined;

  private constructor(spec: ConnectionSpec, signal: AbortSignal, connection: Connection, socket: net.Socket) {
    this.#spec = spec;
    this.#signal = signal;
    this.#connection = connection;
    this.#socket = socket;
    this.#failed.promise.catch(() => {});
    connection.on("error", (error) => this.#fail(databaseError(error)));
    // A command that hears of it keeps it to itself.
    socket.once("close", () => {
      if (!this.#ended) this.#fail(lostConnection());
      this.#closed.resolve();
    });
    signal.addEventListener("abort", this.#onAbort);
  }

  /**
   * Connects, and does nothing else yet.
   *
   * @throws DatabaseError `connection`, `authentication` or `missing`
   */
  static async open(spec: ConnectionSpec, signal: AbortSignal): Promise<Session> {
    const tls = await tlsOptions(spec);
    try {
      return await connect(spec, signal, tls);
    } catch (error) {
      signal.throwIfAborted();
      const refused = (error as { code?: string }).code === "HANDSHAKE_NO_SSL_SUPPORT" && spec.ssl === "prefer";
      if (!refused) throw databaseError(error);
    }
    try {
      return await connect(spec, signal, undefined);
    } catch (error) {
      signal.throwIfAborted();
      throw databaseError(error);
    }
  }

  /** For {@link open}. */
  static of(spec: ConnectionSpec, signal: AbortSignal, connection: Connection, socket: net.Socket): Session {
    return new Session(spec, signal, connection, socket);
  }

  /** The server's number of this connection. */
  get id(): number {
    return this.#connection.threadId!;
  }

  /** The rows of a query. */
  rows(sql: string): Promise<Row[]> {
    return this.#statement<Row[]>({ sql });
  }

  /** Runs a statement that returns no rows. */
  run(sql: string): Promise<Outcome> {
    return this.#run({ sql });
  }

  /** Runs a LOAD DATA LOCAL INFILE, whose file is `content`. */
  load(sql: string, content: () => Readable): Promise<Outcome> {
    return this.#run({ sql, infileStreamFactory: content });
  }

  /**
   * The rows of a query in batches, as they come; the server waits where the reader is slow. Nothing else runs here meanwhile.
   * A reader that stops early has the query ended.
   */
  async *stream(sql: string, batchRows: number): AsyncGenerator<Row[]> {
    this.check();
    const full: Row[][] = [];
    let batch: Row[] = [];
    let characters = 0;
    let ended = false;
    let failure: unknown;
    let wake = () => {};
    const command = this.#connection.query({ sql, rowsAsArray: true });
    command.on("result", (row: unknown) => {
      batch.push(row as Row);
      for (const value of row as Row) characters += value?.length ?? 0;
      if (batch.length < batchRows && characters < BATCH_CHARACTERS) return;
      full.push(batch);
      [batch, characters] = [[], 0];
      if (full.length >= BATCHES_AHEAD) this.#connection.pause();
      wake();
    });
    const done = new Promise<void>((resolve) => {
      command.on("end", () => resolve());
      command.on("error", (error: unknown) => {
        failure = databaseError(error);
        resolve();
      });
      this.#failed.promise.catch((error) => {
        failure = error;
        resolve();
      });
    }).then(() => {
      ended = true;
      wake();
    });
    this.#running++;
    try {
      while (true) {
        const next = full.shift();
        if (next !== undefined) {
          if (full.length < BATCHES_AHEAD) this.#connection.resume();
          yield next;
        } else if (failure !== undefined) {
          throw failure;
        } else if (ended) {
          if (batch.length > 0) yield batch;
          return;
        } else {
          await new Promise<void>((resolve) => wake = resolve);
        }
      }
    } finally {
      this.#running--;
      if (!ended) await this.#stop(command, done);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener("abort", this.#onAbort);
    if (!this.#ended) await this.#quit();
    await this.#killing;
  }

  async #quit(): Promise<void> {
    const busy = this.#running > 0;
    this.#ended = true;
    const late = setTimeout(() => this.#socket.destroy(), busy ? 0 : QUIT_TIMEOUT_MS);
    this.#connection.end(() => this.#socket.end());
    await this.#closed.promise;
    clearTimeout(late);
  }

  async #run(options: mysql.QueryOptions & { infileStreamFactory?: () => Readable }): Promise<Outcome> {
    const header = await this.#statement<ResultSetHeader>(options);
    return { affectedRows: header.affectedRows, warnings: header.warningStatus, info: header.info };
  }

  async #statement<T>(options: mysql.QueryOptions & { infileStreamFactory?: () => Readable }): Promise<T> {
    this.check();
    this.#running++;
    try {
      const answer = new Promise<T>((resolve, reject) => {
        this.#connection.query(
          { ...options, rowsAsArray: true } as mysql.QueryOptions,
          (error, result) => error === null ? resolve(result as T) : reject(databaseError(error)),
        );
      });
      return await Promise.race([answer, this.#failed.promise]);
    } finally {
      this.#running--;
    }
  }

  /** Throws where nothing can be run any more. */
  check(): void {
    this.#signal.throwIfAborted();
    if (this.#ended) throw lostConnection();
  }

  /** Ends a query whose rows nobody wants any more; the connection can be used again. */
  async #stop(command: mysql.Query, done: Promise<void>): Promise<void> {
    command.removeAllListeners("result");
    this.#connection.resume();
    await this.#kill("QUERY");
    await done;
    // The order to end may have come too late for the query: it must not meet the next one.
    if (!this.#ended) await this.rows("DO 0").catch(() => {});
  }

  #abort(): void {
    const busy = this.#running > 0;
    this.#fail(this.#signal.reason);
    if (busy) this.#killing = this.#kill("CONNECTION").catch(() => {});
  }

  #fail(error: unknown): void {
    this.#ended = true;
    this.#failed.reject(error);
    this.#socket.destroy();
  }

  /** A server does not notice while it computes that nobody waits: it must be told, through another connection. */
  async #kill(what: "QUERY" | "CONNECTION"): Promise<void> {
    const spec = { ...this.#spec, connectTimeoutMs: KILL_TIMEOUT_MS };
    await using other = await Session.open(spec, new AbortController().signal);
    await other.run(`KILL ${what} ${this.id}`).catch((error) => {
      if (!this.#ended) throw error;
    });
  }
}

/** A column of this name is read as bytes and becomes hexadecimal digits; every other as the text that the server sends. */
export const BYTES = "hex:";

function typeCast(field: TypeCastField): string | null {
  return field.name.startsWith(BYTES) ? field.buffer()?.toString("hex") ?? null : field.string("utf8");
}

/** How much text rows have. */
export function characters(rows: Row[]): number {
  let count = 0;
  for (const row of rows) for (const value of row) count += value?.length ?? 0;
  return count;
}

async function connect(spec: ConnectionSpec, signal: AbortSignal, ssl: mysql.SslOptions | undefined): Promise<Session> {
  signal.throwIfAborted();
  const socket = net.connect({ host: spec.host ?? "localhost", port: spec.port ?? PORT });
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 60_000);
  const connection = mysql.createConnection({
    stream: () => socket,
    host: spec.host,
    user: spec.user,
    password: spec.password,
    database: spec.database,
    charset: "UTF8MB4_BIN",
    connectTimeout: spec.connectTimeoutMs,
    typeCast,
    ...(ssl === undefined ? {} : { ssl }),
  });
  const onAbort = () => socket.destroy(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    await new Promise<void>((resolve, reject) => {
      connection.connect((error) => error === null ? resolve() : reject(error));
    });
  } catch (error) {
    connection.on("error", () => {});
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
  return Session.of(spec, signal, connection, socket);
}
