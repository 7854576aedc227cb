import type { Session } from "./types.ts";

type Given =
  | "kind"
  | "sourceIdentifier"
  | "targetIdentifier"
  | "syncType"
  | "status"
  | "message"
  | "parentId"
  | "keyId";

/** A session that begins now, under a fresh id. */
export function newSession(given: Pick<Session, Given>): Session {
  return {
    ...given,
    sessionId: `session-${crypto.randomUUID()}`,
    progressPercentage: 0,
    progress: {},
    result: null,
    error: null,
    createdAt: new Date().toISOString(),
    completedAt: null,
  };
}
