import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Stored } from "./stored.ts";

/** A statement whose rows are arrays of exact values. */
export class Query {
  readonly #statement: StatementSync & { setReturnArrays(enabled: boolean): void };

  constructor(database: DatabaseSync, sql: string) {
    // The runtime has the method; its types do not say so yet.
    this.#statement = database.prepare(sql) as StatementSync & { setReturnArrays(enabled: boolean): void };
    this.#statement.setReadBigInts(true);
    this.#statement.setReturnArrays(true);
  }

  all(values: Stored[]): Stored[][] {
    return this.#statement.all(...values) as unknown as Stored[][];
  }

  first(values: Stored[]): Stored[] | undefined {
    return this.#statement.get(...values) as unknown as Stored[] | undefined;
  }

  each(values: Stored[]): IterableIterator<Stored[]> {
    return this.#statement.iterate(...values) as unknown as IterableIterator<Stored[]>;
  }

  /** Returns how many rows it changed. */
  run(values: Stored[]): number {
    return Number(this.#statement.run(...values).changes);
  }
}

/** The only value of a query's first row. */
export function scalar(database: DatabaseSync, sql: string, values: Stored[] = []): Stored | undefined {
  return new Query(database, sql).first(values)?.[0];
}
