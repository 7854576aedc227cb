import type { Buffer } from "node:buffer";
// @ts-types="@types/pg"
import pg from "pg";
import type { ConnectionSpec } from "../types.ts";
import { CopyIn, CopyOut } from "./copy_query.ts";
import { databaseError, type ErrorContext } from "./error.ts";
import { cancelQuery, type OpenClient, openClient } from "./open_client.ts";

/** How long a statement that was told to stop may go on before its connection is closed. */
const PATIENCE_MS = 2_000;
/** Each value as the server's text. */
const TEXTS = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;

export type TextRow = (string | null)[];

/**
 * One connection to a server, for one statement at a time; later ones wait. Where the signal fires, what runs is cancelled and
 * everything throws the signal's reason.
 */
export class Session implements AsyncDisposable {
  readonly #client: pg.Client;
  readonly #destroy: () => void;
  readonly #spec: ConnectionSpec;
  readonly #signal: AbortSignal;
  readonly #onAbort: () => void;
  #last: Promise<unknown> = Promise.resolve();
  #running = false;
  /** Why there is no connection any more. */
  #lost: unknown;

  private constructor({ client, destroy }: OpenClient, spec: ConnectionSpec, signal: AbortSignal) {
    this.#client = client;
    this.#destroy = destroy;
    this.#spec = spec;
    this.#signal = signal;
    this.#onAbort = () => void this.#stop();
    signal.addEventListener("abort", this.#onAbort);
    client.on("error", (error) => this.#lost ??= error);
    client.on("end", () => this.#lost ??= new Error("the server closed it"));
  }

  /** @throws DatabaseError */
  static async open(spec: ConnectionSpec, signal: AbortSignal): Promise<Session> {
    const session = new Session(await openClient(spec, signal), spec, signal);
    try {
      await session.run(SETTINGS);
      return session;
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs statements without parameters, and returns what the server says to the last: its command. */
  async run(text: string, context?: ErrorContext): Promise<string> {
    const results: pg.QueryResult | pg.QueryResult[] = await this.#exclusively(() => this.#client.query(text), context);
    return (Array.isArray(results) ? results.at(-1) as pg.QueryResult : results).command;
  }

  /** Runs one statement and returns its rows. */
  async query(text: string, values: unknown[] = [], context?: ErrorContext): Promise<TextRow[]> {
    return (await this.#result(text, values, context)).rows;
  }

  /** Runs one statement and returns how many rows it touched. */
  async execute(text: string, values: unknown[] = [], context?: ErrorContext): Promise<number> {
    return (await this.#result(text, values, context)).rowCount ?? 0;
  }

  /**
   * What `COPY … TO STDOUT` sends, in pieces that do not end where rows do; the server waits while nobody takes them. A caller that
   * stops early fails the transaction.
   */
  async *copyOut(text: string, context?: ErrorContext): AsyncGenerator<Buffer> {
    using _turn = await this.#turn();
    const query = this.#client.query(new CopyOut(text));
    try {
      for (let piece = await query.take(); piece !== undefined; piece = await query.take()) {
        yield piece;
        this.#signal.throwIfAborted();
      }
    } catch (error) {
      throw error === query.failure ? this.#failure(error, context) : error;
    } finally {
      if (!query.isOver) await Promise.all([this.#cancel(), query.drain()]);
    }
  }

  /**
   * Sends pieces as `COPY … FROM STDIN`, which may be one of several statements; returns how many rows each of these touched.
   */
  async copyIn(
    text: string,
    pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    context?: ErrorContext,
  ): Promise<number[]> {
    using _turn = await this.#turn();
    const query = this.#client.query(new CopyIn(text));
    try {
      for await (const piece of pieces) await query.write(piece);
      await query.end();
      return query.rows;
    } catch (error) {
      if (error === query.failure) throw this.#failure(error, context);
      await query.fail();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#lost ??= new Error("it was closed");
    const timer = setTimeout(this.#destroy, PATIENCE_MS);
    await this.#client.end();
    clearTimeout(timer);
  }

  async #result(text: string, values: unknown[], context?: ErrorContext): Promise<pg.QueryArrayResult<TextRow>> {
    return await this.#exclusively(
      () => this.#client.query<TextRow>({ text, values, rowMode: "array", types: TEXTS }),
      context,
    );
  }

  async #exclusively<T>(action: () => Promise<T>, context?: ErrorContext): Promise<T> {
    using _turn = await this.#turn();
    try {
      return await action();
    } catch (error) {
      throw this.#failure(error, context);
    }
  }

  /** Waits for what runs, and holds the connection until disposed. */
  async #turn(): Promise<Disposable> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    const release = () => (this.#running = false, resolve());
    try {
      this.#signal.throwIfAborted();
      if (this.#lost !== undefined) throw databaseError(this.#lost);
    } catch (error) {
      release();
      throw error;
    }
    this.#running = true;
    return { [Symbol.dispose]: release };
  }

  #failure(error: unknown, context?: ErrorContext): unknown {
    return this.#signal.aborted ? this.#signal.reason : databaseError(error, context);
  }

  async #cancel(): Promise<void> {
    await cancelQuery(this.#spec, this.#client).catch((error) => this.#lost ??= error);
  }

  async #stop(): Promise<void> {
    if (!this.#running) return;
    const timer = setTimeout(this.#destroy, PATIENCE_MS);
    const running = this.#last;
    await this.#cancel();
    await running;
    clearTimeout(timer);
  }
}

/**
 * Whatever the server's own settings are, texts are exact, and a long transaction may wait. Where row security would hide rows,
 * reading fails: rows that are not seen would be taken for deleted ones.
 */
const SETTINGS = `set application_name = 'syncline';
set client_encoding = 'UTF8';
set standard_conforming_strings = on;
set datestyle = 'ISO, YMD';
set intervalstyle = 'postgres';
set timezone = 'UTC';
set bytea_output = 'hex';
set extra_float_digits = 3;
set lc_monetary = 'C';
set statement_timeout = 0;
set idle_in_transaction_session_timeout = 0;
set idle_session_timeout = 0;
set row_security = off;
set max_parallel_workers_per_gather = 0;
set jit = off;
select set_config(name, '0', false) from pg_settings where name = 'transaction_timeout'`;
