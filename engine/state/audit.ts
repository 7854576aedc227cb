import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AuditEntry, AuditQuery, AuditStore } from "./types.ts";
import type { Writer } from "./writer.ts";

const KEPT_ENTRIES = 100_000;
const KEPT_MS = 365 * 24 * 60 * 60 * 1_000;

const BEGIN = `INSERT INTO audit (id, at, key_id, key_name, address, method, path, request_id)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`;
/** A few at a time, so that no single write takes long. */
const DROP = `DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id <= ?1 OR at < ?2 ORDER BY id LIMIT 100)`;
const END = "UPDATE audit SET status = ?2, session_id = ?3 WHERE id = ?1";
const COLUMNS = `id, at, key_id AS keyId, key_name AS keyName, address, method, path, request_id AS requestId, status,
  session_id AS sessionId`;
const PAGE = `SELECT ${COLUMNS} FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?`;
const PAGE_OF_KEY = `SELECT ${COLUMNS} FROM audit WHERE key_id = ? AND id < ? ORDER BY id DESC LIMIT ?`;

export class SqliteAuditStore implements AuditStore {
  readonly #writer: Writer;
  readonly #page: StatementSync;
  readonly #pageOfKey: StatementSync;
  #last: number;

  constructor(reader: DatabaseSync, writer: Writer) {
    this.#writer = writer;
    this.#page = reader.prepare(PAGE);
    this.#pageOfKey = reader.prepare(PAGE_OF_KEY);
    this.#last = Number(reader.prepare("SELECT max(id) AS last FROM audit").get()?.last ?? 0);
  }

  async begin(entry: Omit<AuditEntry, "id" | "at" | "status" | "sessionId">): Promise<number> {
    const id = ++this.#last;
    const now = Date.now();
    const { keyId, keyName, address, method, path, requestId } = entry;
    await this.#writer.write([
      { sql: BEGIN, parameters: [id, now, keyId, keyName, address, method, path, requestId] },
      { sql: DROP, parameters: [id - KEPT_ENTRIES, now - KEPT_MS] },
    ]);
    return id;
  }

  async end(id: number, status: number, sessionId: string | null): Promise<void> {
    await this.#writer.write([{ sql: END, parameters: [id, status, sessionId] }], { durable: false });
  }

  list({ limit, before = Number.MAX_SAFE_INTEGER, keyId }: AuditQuery): AuditEntry[] {
    const rows = keyId === undefined ? this.#page.all(before, limit) : this.#pageOfKey.all(keyId, before, limit);
    return (rows as unknown as (Omit<AuditEntry, "at"> & { at: number })[])
      .map((row) => ({ ...row, at: new Date(row.at).toISOString() }));
  }
}
