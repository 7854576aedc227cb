import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Claim, ClaimId, IdempotencyStore, StoredAnswer } from "./types.ts";
import type { Writer } from "./writer.ts";

const KEPT_MS = 24 * 60 * 60 * 1_000;

const FIND = `SELECT fingerprint, status, headers, body FROM idempotency_answers
  WHERE key_id = ? AND idempotency_key = ? AND created_at > ?`;
const STORE = `INSERT OR REPLACE INTO idempotency_answers
  (key_id, idempotency_key, fingerprint, status, headers, body, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`;
const DROP_OLD = `DELETE FROM idempotency_answers WHERE rowid IN
  (SELECT rowid FROM idempotency_answers WHERE created_at <= ? ORDER BY created_at LIMIT 100)`;

interface Row {
  fingerprint: string;
  status: number;
  headers: string;
  body: string;
}

function nameOf({ keyId, idempotencyKey }: ClaimId): string {
  return JSON.stringify([keyId, idempotencyKey]);
}

/** Running claims in memory, answers in the database. */
export class SqliteIdempotencyStore implements IdempotencyStore {
  readonly #writer: Writer;
  readonly #find: StatementSync;
  /** Claim → fingerprint. */
  readonly #running = new Map<string, string>();

  constructor(reader: DatabaseSync, writer: Writer) {
    this.#writer = writer;
    this.#find = reader.prepare(FIND);
  }

  // deno-lint-ignore require-await -- whatever the read throws must arrive as a rejection
  async claim(input: ClaimId & { fingerprint: string }): Promise<Claim> {
    const name = nameOf(input);
    const running = this.#running.get(name);
    if (running !== undefined) return { kind: running === input.fingerprint ? "running" : "mismatch" };
    const row = this.#find.get(input.keyId, input.idempotencyKey, Date.now() - KEPT_MS) as Row | undefined;
    if (row === undefined) {
      this.#running.set(name, input.fingerprint);
      return { kind: "new" };
    }
    if (row.fingerprint !== input.fingerprint) return { kind: "mismatch" };
    return { kind: "done", status: row.status, headers: JSON.parse(row.headers), body: row.body };
  }

  async complete(input: ClaimId & StoredAnswer): Promise<void> {
    const name = nameOf(input);
    const fingerprint = this.#running.get(name);
    if (fingerprint === undefined) throw new Error("Cannot complete a claim that is not held");
    const now = Date.now();
    const { keyId, idempotencyKey, status, headers, body } = input;
    await this.#writer.write([
      { sql: DROP_OLD, parameters: [now - KEPT_MS] },
      { sql: STORE, parameters: [keyId, idempotencyKey, fingerprint, status, JSON.stringify(headers), body, now] },
    ]);
    this.#running.delete(name);
  }

  release(input: ClaimId): Promise<void> {
    this.#running.delete(nameOf(input));
    return Promise.resolve();
  }
}
