import { Buffer } from "node:buffer";
// @ts-types="@types/pg"
import type pg from "pg";

/** COPY as queries of `pg`'s client, which hands them the server's messages. */

/** Bytes that wait for their reader before the server has to. */
const HIGH = 256 * 1024;

/** What of `pg`'s connection COPY needs; its types leave some out. */
interface CopyConnection {
  stream: NodeJS.ReadWriteStream & { writableNeedDrain: boolean };
  query(text: string): void;
  sendCopyFromChunk(chunk: Uint8Array): void;
  endCopyFrom(): void;
  sendCopyFail(message: string): void;
}

/** Told by the client how it ends. */
abstract class CopyQuery implements pg.Submittable {
  readonly #text: string;
  #wake: (() => void) | undefined;
  protected connection: CopyConnection | undefined;
  /** What the server or the network said. */
  failure: unknown;
  protected isDone = false;

  constructor(text: string) {
    this.#text = text;
  }

  get isOver(): boolean {
    return this.isDone || this.failure !== undefined;
  }

  submit(connection: pg.Connection): void {
    this.connection = connection as unknown as CopyConnection;
    this.connection.query(this.#text);
  }

  handleError(error: unknown): void {
    this.failure ??= error;
    this.wake();
  }

  handleReadyForQuery(): void {
    this.isDone = true;
    this.wake();
  }

  handleCommandComplete(_message: { text: string }): void {}

  /** Waits for the next message that matters. */
  protected next(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  protected wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

/** `COPY … TO STDOUT`. */
export class CopyOut extends CopyQuery {
  #buffer = Buffer.allocUnsafe(2 * HIGH);
  #size = 0;

  handleCopyData({ chunk }: { chunk: Buffer }): void {
    const size = this.#size + chunk.length;
    if (size > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(size, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, this.#size);
      this.#buffer = larger;
    }
    // The client writes over what it hands out.
    chunk.copy(this.#buffer, this.#size);
    this.#size = size;
    if (size > HIGH) this.connection?.stream.pause();
    this.wake();
  }

  /** What has come since the last call, at least something; undefined at the end. */
  async take(): Promise<Buffer | undefined> {
    while (this.#size === 0) {
      if (this.failure !== undefined) throw this.failure;
      if (this.isDone) return undefined;
      await this.next();
    }
    const piece = Buffer.from(this.#buffer.subarray(0, this.#size));
    this.#size = 0;
    this.connection?.stream.resume();
    return piece;
  }

  /** Drops what comes until the end. */
  async drain(): Promise<void> {
    while (!this.isOver) await this.take().catch(() => {});
  }
}

/**
 * `COPY … FROM STDIN`, alone or among statements that the server runs before and after it. What is written need not wait for the server
 * to be ready for it: where it never is, it drops it.
 */
export class CopyIn extends CopyQuery {
  #isReady = false;
  /** How many rows each of the statements touched; NaN where it does not say. */
  readonly rows: number[] = [];

  handleCopyInResponse(): void {
    this.#isReady = true;
    this.wake();
  }

  override handleCommandComplete({ text }: { text: string }): void {
    this.rows.push(Number(text.split(" ").at(-1)));
  }

  /** Sends a piece when the network takes it. */
  async write(piece: Uint8Array): Promise<void> {
    const { stream, sendCopyFromChunk } = this.connection as CopyConnection;
    while (stream.writableNeedDrain) {
      if (this.failure !== undefined) throw this.failure;
      const drained = () => this.wake();
      stream.once("drain", drained);
      await this.next();
      stream.off("drain", drained);
    }
    if (this.failure !== undefined) throw this.failure;
    sendCopyFromChunk.call(this.connection, piece);
  }

  /** @throws what the server refused */
  async end(): Promise<void> {
    if (this.failure === undefined) this.connection?.endCopyFrom();
    while (!this.isOver) await this.next();
    if (this.failure !== undefined) throw this.failure;
  }

  /** Makes the statement fail. */
  async fail(): Promise<void> {
    while (!this.#isReady && !this.isOver) await this.next();
    if (!this.isOver) this.connection?.sendCopyFail("stopped");
    while (!this.isOver) await this.next();
  }
}
