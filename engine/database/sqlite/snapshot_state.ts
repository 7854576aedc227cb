import type { DatabaseSync } from "node:sqlite";
import { DatabaseError } from "../error.ts";
import { sqliteFailure } from "./failure.ts";
import { patiently } from "./open_file.ts";
import { Query, scalar } from "./query.ts";

/** How often a transaction is begun anew because somebody wrote at that moment. */
const TRIES = 5;

/** What another connection calls the file of a snapshot that it has attached. */
export const ATTACHED = "other";

/** Begins to read: the transaction begins with the first read. */
export async function beginReading(database: DatabaseSync, signal: AbortSignal): Promise<void> {
  database.exec("BEGIN");
  await patiently(signal, () => new Query(database, "SELECT count(*) FROM sqlite_schema").first([]));
}

/**
 * The state of a file that a connection reads. A witness, a further connection that reads nothing, tells whether anybody has
 * committed since.
 */
export class SnapshotState {
  readonly #witness: DatabaseSync;
  readonly #version: bigint;

  private constructor(witness: DatabaseSync, version: bigint) {
    this.#witness = witness;
    this.#version = version;
  }

  /** Begins to read. Undefined where others write so often that it is not certain what is read. */
  static async begin(
    database: DatabaseSync,
    witness: DatabaseSync,
    signal: AbortSignal,
  ): Promise<SnapshotState | undefined> {
    for (let attempt = 1;; attempt++) {
      const before = await patiently(signal, () => versionSeenBy(witness));
      await beginReading(database, signal);
      const after = await patiently(signal, () => versionSeenBy(witness));
      if (before === after) return new SnapshotState(witness, after);
      if (attempt === TRIES) return undefined;
      database.exec("ROLLBACK");
    }
  }

  /**
   * Attaches the file to another connection, which is in a transaction, as {@link ATTACHED}, to be read only.
   *
   * @returns whether the other connection now reads the same state until its transaction ends
   */
  attachTo(database: DatabaseSync): boolean {
    const path = pathOf(this.#witness);
    if (path === pathOf(database)) return false;
    try {
      // Only an address can say that the file is not to be written, without which a transaction would lock it.
      const address = `file:${path.split("/").map(encodeURIComponent).join("/")}?mode=ro`;
      new Query(database, `ATTACH ? AS ${ATTACHED}`).run([address]);
      new Query(database, `SELECT count(*) FROM ${ATTACHED}.sqlite_schema`).first([]);
      return versionSeenBy(this.#witness) === this.#version;
    } catch (error) {
      // A lock, another encoding: there are ways without it.
      if (sqliteFailure(error) instanceof DatabaseError) return false;
      throw error;
    }
  }
}

function versionSeenBy(witness: DatabaseSync): bigint {
  return scalar(witness, "PRAGMA data_version") as bigint;
}

function pathOf(database: DatabaseSync): string {
  return String(scalar(database, "SELECT file FROM pragma_database_list WHERE name = 'main'"));
}
