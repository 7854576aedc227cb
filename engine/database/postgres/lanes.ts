import type { ConnectionSpec } from "../types.ts";
import { DatabaseError } from "../error.ts";
import { quote } from "./identifier.ts";
import { Session } from "./session.ts";

const SAVEPOINT = quote("syncline");

/** Connections that see one snapshot, opened as they are needed; who wants one when all are taken waits. */
export class Lanes implements AsyncDisposable {
  readonly #spec: ConnectionSpec;
  readonly #signal: AbortSignal;
  readonly #snapshot: string | undefined;
  readonly #all: Session[];
  readonly #free: Session[];
  readonly #waiting: ((lane: Session | undefined) => void)[] = [];
  #limit: number;
  #opening = 0;

  private constructor(spec: ConnectionSpec, signal: AbortSignal, first: Session, snapshot?: string, limit = 1) {
    [this.#spec, this.#signal, this.#snapshot, this.#limit] = [spec, signal, snapshot, limit];
    this.#all = [first];
    this.#free = [first];
  }

  /** Begins the snapshot. The first connection holds it for the others. */
  static async open(spec: ConnectionSpec, signal: AbortSignal, atOnce: number): Promise<Lanes> {
    const first = await Session.open(spec, signal);
    try {
      await first.run("begin isolation level repeatable read read only");
      let snapshot: string | undefined;
      if (atOnce > 1) {
        await first.run(`savepoint ${SAVEPOINT}`);
        // A server that cannot (one that recovers) has one connection's snapshot.
        await first.run(`release ${SAVEPOINT}`);
        snapshot = (await first.query("select pg_export_snapshot()"))[0][0] as string;
      }
      await first.query("select 1");
      await first.run(`savepoint ${SAVEPOINT}`);
      return new Lanes(spec, signal, first, snapshot, atOnce);
    } catch (error) {
      await first[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Uses a connection; a statement that fails there leaves the snapshot as it was. */
  async use<T>(action: (lane: Session) => Promise<T>): Promise<T> {
    const lane = await this.#take();
    try {
      return await action(lane);
    } catch (error) {
      await this.#recover(lane, error);
      throw error;
    } finally {
      this.#release(lane);
    }
  }

  /** The same for what comes in pieces. */
  async *stream<T>(action: (lane: Session) => AsyncGenerator<T>): AsyncGenerator<T> {
    const lane = await this.#take();
    let whole = false;
    try {
      yield* action(lane);
      whole = true;
    } finally {
      if (!whole) await this.#recover(lane);
      this.#release(lane);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
    await Promise.all(this.#all.map((lane) => lane[Symbol.asyncDispose]()));
  }

  async #take(): Promise<Session> {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#all.length + this.#opening < this.#limit) {
      const opened = await this.#open();
      if (opened !== undefined) return opened;
      const free = this.#free.pop();
      if (free !== undefined) return free;
    }
    const lane = await new Promise<Session | undefined>((resolve) => this.#waiting.push(resolve));
    if (lane === undefined) throw new DatabaseError("connection", "The snapshot was closed", { aborts: true });
    return lane;
  }

  /** Undefined where the server allows no more connections: those that there are will do. */
  async #open(): Promise<Session | undefined> {
    this.#opening++;
    try {
      const lane = await Session.open(this.#spec, this.#signal).catch((error) => {
        if (!(error instanceof DatabaseError)) throw error;
        this.#limit = this.#all.length;
        return undefined;
      });
      if (lane === undefined) return undefined;
      this.#all.push(lane);
      await lane.run(
        `begin isolation level repeatable read read only; set transaction snapshot '${this.#snapshot}'; savepoint ${SAVEPOINT}`,
      );
      return lane;
    } finally {
      this.#opening--;
    }
  }

  async #recover(lane: Session, error?: unknown): Promise<void> {
    if (error instanceof DatabaseError && error.place.aborts === true) return;
    // What fails here fails again for who comes next.
    await lane.run(`rollback to savepoint ${SAVEPOINT}`).catch(() => {});
  }

  #release(lane: Session): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(lane);
    else next(lane);
  }
}
