import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Session, SessionStatus } from "../jobs/types.ts";
import type { WebhookEvent } from "../jobs/webhooks/types.ts";
import type { SqlValue, Statement } from "./protocol.ts";
import type { OperationSums, RunFigures, SessionStore, StoredSession } from "./session_store.ts";
import * as sql from "./session_sql.ts";
import { outboxOfEnd } from "./webhooks.ts";
import type { Writer } from "./writer.ts";

export const KEPT_SESSIONS = 10_000;
export const KEPT_MS = 30 * 24 * 60 * 60 * 1_000;
export const KEPT_ERRORS = 1_000;

interface Row {
  sequence: number;
  sessionId: string;
  kind: string;
  sourceIdentifier: string;
  targetIdentifier: string;
  syncType: string | null;
  status: SessionStatus;
  progressPercentage: number;
  message: string;
  progress: string;
  error: string | null;
  parentId: string | null;
  keyId: string | null;
  createdAt: number;
  completedAt: number | null;
  eventId: number;
  result?: string | null;
}

function toStored(row: Row): StoredSession {
  const { sequence, eventId, ...rest } = row;
  const session: Session = {
    ...rest,
    progress: JSON.parse(row.progress),
    result: row.result ? JSON.parse(row.result) : null,
    error: row.error === null ? null : JSON.parse(row.error),
    createdAt: new Date(row.createdAt).toISOString(),
    completedAt: row.completedAt === null ? null : new Date(row.completedAt).toISOString(),
  };
  return { sequence, eventId, session };
}

/** A count that a column takes, whatever an operation made of it. */
function toCount(value: number): number {
  return Number.isFinite(value) ? Math.max(0, Math.round(value)) : 0;
}

/** The columns that change while a session lives, in the order of {@link sql.PROGRESS} and {@link sql.FINISH}. */
function changing({ sequence, eventId, session }: StoredSession): SqlValue[] {
  const { status, progressPercentage, message, progress } = session;
  return [sequence, status, progressPercentage, message, JSON.stringify(progress), eventId];
}

/** The sessions' {@link SessionStore}. */
export class SqliteSessionStore implements SessionStore {
  readonly #reader: DatabaseSync;
  readonly #writer: Writer;
  readonly #compiled = new Map<string, StatementSync>();
  #lastSequence: number;

  constructor(reader: DatabaseSync, writer: Writer) {
    this.#reader = reader;
    this.#writer = writer;
    this.#lastSequence = this.#one<{ last: number | null }>(sql.LAST_SEQUENCE)?.last ?? 0;
  }

  nextSequence(): number {
    return ++this.#lastSequence;
  }

  async insert(entry: StoredSession): Promise<void> {
    const { sequence, eventId, session } = entry;
    const parameters = [
      sequence,
      session.sessionId,
      session.kind,
      session.sourceIdentifier,
      session.targetIdentifier,
      session.syncType,
      session.status,
      session.progressPercentage,
      session.message,
      JSON.stringify(session.progress),
      session.parentId,
      session.keyId,
      Date.parse(session.createdAt),
      eventId,
    ];
    await this.#writer.write([
      { sql: sql.INSERT, parameters },
      { sql: sql.DROP_BEYOND, parameters: [sequence - KEPT_SESSIONS] },
      { sql: sql.DROP_OLD, parameters: [Date.now() - KEPT_MS] },
    ]);
  }

  async saveProgress(entry: StoredSession): Promise<void> {
    await this.#writer.write([{ sql: sql.PROGRESS, parameters: changing(entry) }], { durable: false });
  }

  async finish(
    entry: StoredSession,
    result: string | null,
    figures: RunFigures | null,
    event?: WebhookEvent,
  ): Promise<void> {
    const { sequence, session } = entry;
    const completedAt = session.completedAt === null ? Date.now() : Date.parse(session.completedAt);
    const error = session.error === null ? null : JSON.stringify(session.error);
    const statements: Statement[] = figures === null ? [] : this.#addFigures(entry, figures);
    // Last: each statement before acts only while the session is not over, so a repeated end changes nothing.
    if (event !== undefined) statements.push(...outboxOfEnd(sequence, event));
    if (result !== null) statements.push({ sql: sql.STORE_RESULT, parameters: [sequence, result] });
    statements.push({ sql: sql.FINISH, parameters: [...changing(entry), error, completedAt] });
    await this.#writer.write(statements);
  }

  #addFigures({ sequence, session }: StoredSession, figures: RunFigures): Statement[] {
    const succeeded = figures.success ? 1 : 0;
    const changes = toCount(figures.changesApplied);
    const conflicts = toCount(figures.conflictsEncountered);
    const bytes = toCount(figures.bytesTransferred);
    const isTimed = figures.durationMs === null ? 0 : 1;
    const duration = toCount(figures.durationMs ?? 0);
    const statements: Statement[] = [
      { sql: sql.ADD_METRICS, parameters: [sequence, succeeded, isTimed, duration, bytes] },
    ];
    const receivers = session.parentId === null ? [session.sessionId] : [session.sessionId, session.parentId];
    for (const receiver of receivers) {
      const parameters = [sequence, receiver, succeeded, changes, conflicts, bytes, duration];
      statements.push({ sql: sql.ADD_SUMS, parameters });
    }
    if (session.parentId !== null && figures.errors.length > 0) {
      const errors = JSON.stringify(figures.errors.slice(0, KEPT_ERRORS));
      statements.push({ sql: sql.ADD_ERRORS, parameters: [sequence, session.parentId, errors, KEPT_ERRORS] });
    }
    return statements;
  }

  async remove(sequence: number): Promise<void> {
    await this.#writer.write([{ sql: sql.REMOVE, parameters: [sequence] }]);
  }

  find(sessionId: string): StoredSession | undefined {
    const row = this.#one<Row>(sql.FIND, sessionId);
    return row && toStored(row);
  }

  page(query: { limit: number; before?: number; status?: SessionStatus }): StoredSession[] {
    const before = query.before ?? Number.MAX_SAFE_INTEGER;
    const rows = query.status === undefined
      ? this.#all<Row>(sql.PAGE, before, query.limit)
      : this.#all<Row>(sql.PAGE_OF_STATUS, query.status, before, query.limit);
    return rows.map(toStored);
  }

  count(status?: SessionStatus): number {
    const row = status === undefined
      ? this.#one<{ count: number }>(sql.COUNT)
      : this.#one<{ count: number }>(sql.COUNT_OF_STATUS, status);
    return row?.count ?? 0;
  }

  unfinished(): StoredSession[] {
    return this.#all<Row>(sql.UNFINISHED).map(toStored);
  }

  sums(sequence: number): OperationSums {
    const row = this.#one<OperationSums>(sql.SUMS, sequence);
    if (row === undefined) throw new Error(`Cannot sum up session number ${sequence}: it is not stored`);
    return { ...row };
  }

  errors(sequence: number): string[] {
    return this.#all<{ message: string }>(sql.ERRORS, sequence, KEPT_ERRORS).map(({ message }) => message);
  }

  #statement(text: string): StatementSync {
    let statement = this.#compiled.get(text);
    if (statement === undefined) {
      statement = this.#reader.prepare(text);
      this.#compiled.set(text, statement);
    }
    return statement;
  }

  #one<T>(text: string, ...parameters: SqlValue[]): T | undefined {
    return this.#statement(text).get(...parameters) as T | undefined;
  }

  #all<T>(text: string, ...parameters: SqlValue[]): T[] {
    return this.#statement(text).all(...parameters) as T[];
  }
}
