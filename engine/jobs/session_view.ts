import { EngineError } from "../errors.ts";
import type { SessionStore, StoredSession } from "../state/session_store.ts";
import type { LiveSession } from "./live_session.ts";
import { notFound } from "./session_errors.ts";
import type { Session, SessionEvent, SessionPage, SessionQuery } from "./types.ts";

const MAX_PAGE = 1_000;
export const DIED = "Interrupted: the server stopped while it ran";

function invalid(details: string): EngineError {
  return new EngineError("invalid", "Cannot list sessions", details);
}

/** What clients are shown of sessions: those that are not over from memory, the others from disk. */
export class SessionView {
  readonly #store: SessionStore;
  readonly #live: ReadonlyMap<string, LiveSession>;

  constructor(store: SessionStore, live: ReadonlyMap<string, LiveSession>) {
    this.#store = store;
    this.#live = live;
  }

  /** @throws EngineError `not-found` */
  find(sessionId: string): Session {
    const live = this.#live.get(sessionId);
    if (live !== undefined && !live.isEnding) return live.snapshot();
    const entry = this.#store.find(sessionId);
    if (entry === undefined) throw notFound(sessionId);
    return this.#present(entry);
  }

  /** @throws EngineError `invalid` */
  list({ limit, cursor, status }: SessionQuery): SessionPage {
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) {
      throw invalid(`limit: must be from 1 to ${MAX_PAGE}`);
    }
    if (cursor !== undefined && !/^\d{1,15}$/.test(cursor)) {
      throw invalid("cursor: must be the nextCursor of an earlier page");
    }
    const before = cursor === undefined ? undefined : Number(cursor);
    const rows = this.#store.page({ limit: limit + 1, before, status });
    const page = rows.slice(0, limit);
    return {
      sessions: page.map((entry) => ({ ...this.#present(entry), result: null })),
      totalCount: this.#store.count(status),
      nextCursor: rows.length > limit ? String(page[page.length - 1].sequence) : null,
    };
  }

  /** @throws EngineError at the call, `not-found` or `conflict` */
  events(sessionId: string, after: number, signal: AbortSignal): AsyncIterable<SessionEvent> {
    const live = this.#live.get(sessionId);
    if (live !== undefined && !live.log.isOver) return live.log.subscribe(after, signal);
    const entry = this.#store.find(sessionId);
    if (entry === undefined) throw notFound(sessionId);
    const session = this.#present(entry);
    return lastEvent({ id: live?.log.lastId ?? entry.eventId, type: session.status, session }, after, signal);
  }

  /** What is stored, or what is known better in memory. */
  #present({ session }: StoredSession): Session {
    if (session.completedAt !== null) return session;
    const live = this.#live.get(session.sessionId);
    return live?.snapshot() ?? { ...session, status: "interrupted", message: DIED };
  }
}

/** The stream of a session that is over. */
async function* lastEvent(event: SessionEvent, after: number, signal: AbortSignal): AsyncGenerator<SessionEvent> {
  if (event.id > after && !signal.aborted) yield event;
}
