import type { WebhookEvent } from "../jobs/webhooks/types.ts";
import type { ManualResult, Session, SessionStatus } from "../jobs/types.ts";

/** A session as it is stored. */
export interface StoredSession {
  /** Grows with each session; the order of lists. */
  sequence: number;
  /** Of the newest event known to be sent. */
  eventId: number;
  session: Session;
}

/** How a run ended, for the sums of its parent and of the metrics. */
export interface RunFigures {
  success: boolean;
  changesApplied: number;
  conflictsEncountered: number;
  bytesTransferred: number;
  /** Given to the parent's result, which keeps 1,000 of them. */
  errors: string[];
  /** Null where it is not known: the run died with its process. */
  durationMs: number | null;
}

/** The sums over a manual session's runs that ended. */
export type OperationSums = Omit<ManualResult, "success" | "syncedAt" | "errors">;

/** Sessions on disk. Reads are synchronous, indexed and bounded; writes resolve once they are on disk. */
export interface SessionStore {
  /** Numbers a new session. */
  nextSequence(): number;
  /** Stores a session that begins, and drops sessions over 30 days old or beyond the newest 10,000. */
  insert(entry: StoredSession): Promise<void>;
  /** Stores status, progress and message. Not synced: they survive the process's death, not a power cut. */
  saveProgress(entry: StoredSession): Promise<void>;
  /**
   * Stores the end of a session and, for a run, adds its figures to its parent and to the metrics, all or nothing.
   * Idempotent: an end is stored once, whatever comes after.
   * @param result JSON, or null
   * @param event for the webhooks' outbox, stored in the same transaction: there is no end without its event
   */
  finish(
    entry: StoredSession,
    result: string | null,
    figures: RunFigures | null,
    event?: WebhookEvent,
  ): Promise<void>;
  /** Forgets a session, where it is. */
  remove(sequence: number): Promise<void>;
  /** With its result. */
  find(sessionId: string): StoredSession | undefined;
  /** Newest first, without results, at most `limit` of those before a sequence number. */
  page(query: { limit: number; before?: number; status?: SessionStatus }): StoredSession[];
  count(status?: SessionStatus): number;
  /** Those that are not over, oldest first. */
  unfinished(): StoredSession[];
  sums(sequence: number): OperationSums;
  /** The errors of a manual session's runs, in the order of their ends, at most 1,000. */
  errors(sequence: number): string[];
}
