import { hash, randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { EngineError } from "../errors.ts";
import type { Report } from "./report.ts";
import type { ApiKey, KeyStore, Scope } from "./types.ts";
import type { Writer } from "./writer.ts";

const SCOPES: readonly Scope[] = ["read", "sync", "backup", "cloud", "merge", "admin"];
const TOUCH_INTERVAL_MS = 60_000;
const MAX_NAME_LENGTH = 200;
/** What a header can carry after `Bearer `: visible ASCII. */
const TOKEN = /^[\x21-\x7e]{1,512}$/;

const INSERT = "INSERT INTO api_keys (id, name, scopes, token_hash, created_at) VALUES (?, ?, ?, ?, ?)";
const DELETE = "DELETE FROM api_keys WHERE id = ?";
const TOUCH = "UPDATE api_keys SET last_used_at = ? WHERE id = ?";
const COLUMNS = "id, name, scopes, token_hash AS tokenHash, created_at AS createdAt, last_used_at AS lastUsedAt";

interface Row {
  id: string;
  name: string;
  scopes: string;
  tokenHash: string;
  createdAt: number;
  lastUsedAt: number | null;
}

interface Entry {
  key: ApiKey;
  tokenHash: string;
  /** Milliseconds since 1970; what the database has, or is about to. */
  touchStoredAt: number;
}

function hashOf(token: string): string {
  return hash("sha256", token, "hex");
}

function toEntry(row: Row): Entry {
  const key: ApiKey = {
    id: row.id,
    name: row.name,
    scopes: JSON.parse(row.scopes),
    createdAt: new Date(row.createdAt).toISOString(),
    lastUsedAt: row.lastUsedAt === null ? null : new Date(row.lastUsedAt).toISOString(),
  };
  return { key, tokenHash: row.tokenHash, touchStoredAt: row.lastUsedAt ?? 0 };
}

function invalid(details: string): EngineError {
  return new EngineError("invalid", "Cannot create the API key", details);
}

/** The keys' {@link KeyStore}: every key in memory, looked up by its token's hash. */
export class SqliteKeyStore implements KeyStore {
  readonly #reader: DatabaseSync;
  readonly #writer: Writer;
  readonly #report: Report;
  readonly #byHash = new Map<string, Entry>();
  readonly #byId = new Map<string, Entry>();

  constructor(reader: DatabaseSync, writer: Writer, report: Report) {
    this.#reader = reader;
    this.#writer = writer;
    this.#report = report;
    const rows = reader.prepare(`SELECT ${COLUMNS} FROM api_keys ORDER BY rowid`).all() as unknown as Row[];
    for (const row of rows) this.#hold(toEntry(row));
  }

  findByToken(token: string): ApiKey | undefined {
    return this.#byHash.get(hashOf(token))?.key;
  }

  list(): ApiKey[] {
    return [...this.#byId.values()].map(({ key }) => ({ ...key, scopes: [...key.scopes] }));
  }

  async create(input: { name: string; scopes: Scope[]; token?: string }): Promise<{ key: ApiKey; token: string }> {
    const scopes = [...new Set(input.scopes)];
    const unknown = scopes.find((scope) => !SCOPES.includes(scope));
    if (unknown !== undefined) throw invalid(`scopes: "${unknown}" is none of ${SCOPES.join(", ")}`);
    if (scopes.length === 0) throw invalid(`scopes: give at least one of ${SCOPES.join(", ")}`);
    if (input.name.length === 0 || input.name.length > MAX_NAME_LENGTH) {
      throw invalid(`name: must be 1 to ${MAX_NAME_LENGTH} characters long`);
    }
    const token = input.token ?? `syncline_${randomBytes(32).toString("base64url")}`;
    if (!TOKEN.test(token)) throw invalid("token: must be 1 to 512 visible ASCII characters without spaces");
    const tokenHash = hashOf(token);
    if (this.#byHash.has(tokenHash)) {
      throw new EngineError("conflict", "Cannot create the API key", "The token is in use");
    }

    const row: Row = {
      id: crypto.randomUUID(),
      name: input.name,
      scopes: JSON.stringify(scopes),
      tokenHash,
      createdAt: Date.now(),
      lastUsedAt: null,
    };
    const parameters = [row.id, row.name, row.scopes, row.tokenHash, row.createdAt];
    try {
      await this.#writer.write([{ sql: INSERT, parameters }]);
    } catch (error) {
      this.#reload(row.id);
      throw error;
    }
    const entry = toEntry(row);
    this.#hold(entry);
    return { key: { ...entry.key, scopes }, token };
  }

  async delete(id: string): Promise<boolean> {
    const entry = this.#byId.get(id);
    if (entry === undefined) return false;
    const isAdmin = (key: ApiKey) => key.scopes.includes("admin");
    if (isAdmin(entry.key) && this.list().filter(isAdmin).length === 1) {
      throw new EngineError(
        "conflict",
        "Cannot delete the last API key with the scope admin",
        "Create another key with the scope admin first",
      );
    }
    this.#drop(entry);
    try {
      await this.#writer.write([{ sql: DELETE, parameters: [id] }]);
    } catch (error) {
      this.#reload(id);
      throw error;
    }
    return true;
  }

  touch(id: string): void {
    const entry = this.#byId.get(id);
    if (entry === undefined) return;
    const now = Date.now();
    entry.key.lastUsedAt = new Date(now).toISOString();
    const storedAt = entry.touchStoredAt;
    if (now - storedAt < TOUCH_INTERVAL_MS && now >= storedAt) return;
    entry.touchStoredAt = now;
    this.#writer.write([{ sql: TOUCH, parameters: [now, id] }], { durable: false }).catch((error) => {
      this.#report("Cannot record the use of an API key", error);
    });
  }

  /** After a write whose end is not known: the database has the truth. */
  #reload(id: string): void {
    const row = this.#reader.prepare(`SELECT ${COLUMNS} FROM api_keys WHERE id = ?`).get(id) as Row | undefined;
    if (row !== undefined) this.#hold(toEntry(row));
  }

  #hold(entry: Entry): void {
    this.#byHash.set(entry.tokenHash, entry);
    this.#byId.set(entry.key.id, entry);
  }

  #drop(entry: Entry): void {
    this.#byHash.delete(entry.tokenHash);
    this.#byId.delete(entry.key.id);
  }
}
