import { run } from "../command.ts";
import type { PostgresServer } from "../../harness/postgres.ts";

/** One database on a PostgreSQL server, past the code that is measured. */
export class PostgresDatabase {
  readonly url: string;
  readonly #server: PostgresServer;
  readonly #name: string;
  readonly #signal: AbortSignal;

  private constructor(server: PostgresServer, name: string, signal: AbortSignal) {
    this.#server = server;
    this.#name = name;
    this.#signal = signal;
    this.url = server.url(name);
  }

  static async create(server: PostgresServer, signal: AbortSignal): Promise<PostgresDatabase> {
    return new PostgresDatabase(server, await server.createDatabase(), signal);
  }

  /** Runs one statement, or several in one transaction, and returns the rows of the last. */
  async run(sql: string): Promise<(string | null)[][]> {
    this.#signal.throwIfAborted();
    return await this.#server.run(this.#name, sql);
  }

  /** Milliseconds of a query that one process of the server answers alone. */
  async time(query: string): Promise<number> {
    const start = performance.now();
    await this.run(`set max_parallel_workers_per_gather = 0; ${query}`);
    return performance.now() - start;
  }

  /** Runs a command with psql, its output going to a file. */
  async psql(command: string, file: string): Promise<void> {
    await run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-o", file, "-c", command, this.url], {
      signal: this.#signal,
    });
  }

  /** Milliseconds of `psql … COPY TO | psql … COPY FROM`, of a table into one of the same columns. */
  async copyInto(to: PostgresDatabase, table: string): Promise<number> {
    const script = `set -o pipefail
psql -Xq -v ON_ERROR_STOP=1 -c "copy ${table} to stdout" "$0" | psql -Xq -v ON_ERROR_STOP=1 -c "copy ${table} from stdin" "$1"`;
    return (await run(["bash", "-c", script, this.url, to.url], { signal: this.#signal })).milliseconds;
  }
}
