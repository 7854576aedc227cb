/** A piece of work; may add more to the queue that runs it. */
export type Work = () => Promise<void>;

/** Runs pieces of work, so many at once, until none is left. The first error ends it, once all that were begun have ended. */
export class WorkQueue {
  readonly #waiting: Work[] = [];
  #running = 0;
  #failure: { error: unknown } | undefined;
  #ended = Promise.withResolvers<void>();

  constructor(private readonly atOnce: number) {}

  get waiting(): number {
    return this.#waiting.length;
  }

  /** To be run after everything that waits. */
  add(work: Work): void {
    this.#waiting.push(work);
  }

  /** To be run next. */
  addFirst(work: Work): void {
    this.#waiting.unshift(work);
  }

  /** @throws the first error */
  async run(): Promise<void> {
    this.#fill();
    await this.#ended.promise;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #fill(): void {
    while (this.#failure === undefined && this.#running < this.atOnce && this.#waiting.length > 0) {
      this.#running++;
      void this.#one(this.#waiting.shift() as Work);
    }
    if (this.#running === 0) this.#ended.resolve();
  }

  async #one(work: Work): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#running--;
    this.#fill();
  }
}
