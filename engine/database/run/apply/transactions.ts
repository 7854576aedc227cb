import { EngineError, isCancellation } from "../../../errors.ts";
import type { Connection, Writer } from "../../dialect.ts";
import { DatabaseError } from "../../error.ts";
import type { Side } from "../decide.ts";
import { isTransient } from "../failure.ts";
import { divide, type Effect, isOfARow, isRowRefused, ItemRefused } from "./divide.ts";

/** What becomes of what a database refuses. */
export interface Refusals<T> {
  /** Of one row. May throw, which ends everything. */
  refuse(item: T, error: DatabaseError): void;
  /** Takes a batch that may be written later, when other rows are there or gone; false: it does not. */
  postpone?(items: T[], error: DatabaseError): boolean;
}

export type BatchWork<T> = (writer: Writer, items: T[]) => Promise<Effect>;

/** How writes are put into transactions. */
export interface Transactions {
  batch<T>(items: T[], work: BatchWork<T>, refusals: Refusals<T>): Promise<void>;
  /** One call of a writer. @returns the error of a row that was refused, where nothing was done for it */
  call(work: (writer: Writer) => Promise<Effect>): Promise<DatabaseError | undefined>;
  /**
   * Several calls that belong together.
   * @returns the error of a row that was refused; where it returns, nothing of the work has been done
   */
  together(work: (writer: Writer) => Promise<Effect>): Promise<DatabaseError | undefined>;
}

const TRIES = 4;
const FIRST_DELAY_MS = 100;

/** A connection's writer, opened when it is needed and again after it was lost. */
export class WriterSource implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #side: Side;
  readonly #signal: AbortSignal;
  #writer: Writer | undefined;

  constructor(connection: Connection, side: Side, signal: AbortSignal) {
    this.#connection = connection;
    this.#side = side;
    this.#signal = signal;
  }

  /**
   * Runs work in one transaction; once more where another transaction was in the way or the connection was lost.
   *
   * @param prepare runs before the transaction begins
   * @throws EngineError where it cannot be known whether the commit happened; whatever the work throws
   */
  async transaction<T>(work: (writer: Writer) => Promise<T>, prepare?: (writer: Writer) => Promise<void>): Promise<T> {
    for (let attempt = 1;; attempt++) {
      let committing = false;
      try {
        const writer = this.#writer ??= await this.#connection.writer();
        await prepare?.(writer);
        await writer.begin();
        const result = await work(writer);
        this.#signal.throwIfAborted();
        committing = true;
        await writer.commit();
        return result;
      } catch (error) {
        const isLost = !(error instanceof DatabaseError) || error.kind === "connection";
        await this.#rollback(isLost);
        if (this.#signal.aborted && !committing) throw this.#signal.reason;
        if (committing && isLost) throw inDoubt(this.#side, error);
        if (!isTransient(error) || attempt === TRIES) throw error;
        await delay(FIRST_DELAY_MS * 4 ** (attempt - 1) * (0.5 + Math.random()), this.#signal);
      }
    }
  }

  async #rollback(isLost: boolean): Promise<void> {
    const writer = this.#writer;
    if (writer === undefined) return;
    try {
      if (!isLost) return await writer.rollback();
    } catch {
      // Its connection is ended below, which rolls back as well.
    }
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    try {
      await writer?.[Symbol.asyncDispose]();
    } catch (error) {
      if (!(error instanceof DatabaseError) && !isCancellation(error)) throw error;
    }
  }
}

/** Nobody knows whether what was written is there. */
export class InDoubt extends EngineError {}

function inDoubt(side: Side, cause: unknown): InDoubt {
  const details =
    `${side}: the connection was lost while the changes were committed, so nobody knows whether they were; ` +
    "run it again: what is there already is not written twice";
  return new InDoubt("database-failed", "The commit's outcome is not known", details, { cause });
}

async function delay(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => reject(signal.reason);
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    signal.throwIfAborted();
    await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** Everything in the transaction that is open. */
export class OneTransaction implements Transactions {
  constructor(private readonly writer: Writer) {}

  async batch<T>(items: T[], work: BatchWork<T>, { refuse, postpone }: Refusals<T>): Promise<void> {
    try {
      (await work(this.writer, items))();
      return;
    } catch (error) {
      const cause = error instanceof ItemRefused ? error.cause : error;
      if (!isRowRefused(cause)) throw cause;
      if (postpone?.(items, cause)) return;
    }
    for (const effect of await divide(items, (part) => work(this.writer, part), refuse)) effect();
  }

  async together(work: (writer: Writer) => Promise<Effect>): Promise<undefined> {
    (await work(this.writer))();
  }

  async call(work: (writer: Writer) => Promise<Effect>): Promise<DatabaseError | undefined> {
    try {
      (await work(this.writer))();
      return undefined;
    } catch (error) {
      const cause = error instanceof ItemRefused ? error.cause : error;
      if (isRowRefused(cause)) return cause;
      throw cause;
    }
  }
}

/** A transaction for each batch. */
export class BatchTransactions implements Transactions {
  constructor(private readonly source: WriterSource) {}

  async batch<T>(items: T[], work: BatchWork<T>, refusals: Refusals<T>): Promise<void> {
    const { refuse, postpone } = refusals;
    const first = await this.#attempt((writer) => work(writer, items));
    if (first === undefined || postpone?.(items, first)) return;
    let refused: [T, DatabaseError][] = [];
    const failed = await this.#attempt(async (writer) => {
      refused = [];
      const effects = await divide(items, (part) => work(writer, part), (item, error) => refused.push([item, error]));
      return () => effects.forEach((effect) => effect());
    });
    if (failed === undefined) {
      for (const [item, error] of refused) refuse(item, error);
    } else if (items.length === 1) {
      refuse(items[0], failed);
    } else {
      // Refused at the commit, or in a way that ended the transaction: each half has one of its own.
      const middle = items.length >> 1;
      await this.batch(items.slice(0, middle), work, { refuse });
      await this.batch(items.slice(middle), work, { refuse });
    }
  }

  async call(work: (writer: Writer) => Promise<Effect>): Promise<DatabaseError | undefined> {
    return await this.#attempt(work);
  }

  async together(work: (writer: Writer) => Promise<Effect>): Promise<DatabaseError | undefined> {
    return await this.#attempt(work);
  }

  /** @returns the error of a refused row; then nothing was done */
  async #attempt(work: (writer: Writer) => Promise<Effect>): Promise<DatabaseError | undefined> {
    try {
      const effect = await this.source.transaction(work);
      effect();
      return undefined;
    } catch (error) {
      const cause = error instanceof ItemRefused ? error.cause : error;
      if (isOfARow(cause)) return cause;
      throw cause;
    }
  }
}
