import type { Session } from "./session.ts";

/** The connections of a snapshot, each for one query at a time; what is too much waits in order. */
export class Lanes implements AsyncDisposable {
  readonly #sessions: Session[];
  readonly #free: Session[];
  readonly #waiting: ((session: Session) => void)[] = [];

  constructor(sessions: Session[]) {
    this.#sessions = sessions;
    this.#free = [...sessions];
  }

  get count(): number {
    return this.#sessions.length;
  }

  readonly lend = async <T>(work: (session: Session) => Promise<T>): Promise<T> => {
    const session = await this.#take();
    try {
      return await work(session);
    } finally {
      this.#give(session);
    }
  };

  /** The batches of something that holds its connection until its reader is through. */
  async *stream<T>(work: (session: Session) => AsyncIterable<T>): AsyncGenerator<T> {
    const session = await this.#take();
    try {
      yield* work(session);
    } finally {
      this.#give(session);
    }
  }

  /** Works on every piece, as many at once as there are connections. */
  async each<T>(pieces: T[], work: (session: Session, piece: T) => Promise<void>): Promise<void> {
    let at = 0;
    let failed = false;
    const lane = async () => {
      while (at < pieces.length && !failed) {
        const piece = pieces[at++];
        await this.lend((session) => work(session, piece)).catch((error) => {
          failed = true;
          throw error;
        });
      }
    };
    const results = await Promise.allSettled(Array.from({ length: this.count }, lane));
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session[Symbol.asyncDispose]()));
  }

  #take(): Promise<Session> {
    const free = this.#free.pop();
    if (free !== undefined) return Promise.resolve(free);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #give(session: Session): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(session);
    else next(session);
  }
}
