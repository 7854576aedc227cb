import { Buffer } from "node:buffer";
import type { RunFigures } from "../../state/session_store.ts";
import type { Session } from "../types.ts";
import type { WebhookEvent, WebhookEventType } from "./types.ts";

const SUBJECTS: Record<string, "sync" | "backup" | "restore" | "cloud"> = {
  "sync.files": "sync",
  "sync.database": "sync",
  "backup.create": "backup",
  "backup.restore": "restore",
  "cloud.upload": "cloud",
  "cloud.download": "cloud",
};

const MOST_ERRORS = 10;
/** How long texts may be, in characters; the next where the payload would be too large. */
const LONGEST = [500, 100, 20];
const MAX_PAYLOAD_BYTES = 20_000;

/**
 * What subscribers are told of a run's end; undefined where its kind has no event. Everything but a full success is a `failed`
 * one: partial failures, cancellations and interruptions too, with the session's `status` to tell them apart.
 *
 * The id follows from the session's, so an end that is stored twice is one event.
 */
export function eventOfEnd(session: Session, figures: RunFigures): WebhookEvent | undefined {
  const subject = SUBJECTS[session.kind];
  if (subject === undefined) return undefined;
  const type: WebhookEventType = `${subject}.${figures.success ? "completed" : "failed"}`;
  const payload = LONGEST.map((most) => payloadOf(type, session, figures, most))
    .find((text) => Buffer.byteLength(text) < MAX_PAYLOAD_BYTES);
  if (payload === undefined) throw new Error(`Cannot tell of ${session.sessionId}: the event is too large`);
  return { id: `msg_${session.sessionId.replace(/^session-/, "")}`, type, payload };
}

function payloadOf(type: string, session: Session, figures: RunFigures, longest: number): string {
  const { sessionId, kind, status, error, createdAt, completedAt } = session;
  const { success, changesApplied, conflictsEncountered, bytesTransferred, errors, durationMs } = figures;
  const cut = (text: string) => text.length <= longest ? text : `${text.slice(0, longest).toWellFormed()}…`;
  return JSON.stringify({
    type,
    timestamp: completedAt,
    data: {
      sessionId,
      kind,
      status,
      success,
      sourceIdentifier: cut(session.sourceIdentifier),
      targetIdentifier: cut(session.targetIdentifier),
      changesApplied,
      conflictsEncountered,
      bytesTransferred,
      errorCount: errors.length,
      errors: errors.slice(0, MOST_ERRORS).map(cut),
      error: error && { errorCode: error.errorCode, message: cut(error.message), details: cut(error.details) },
      startedAt: createdAt,
      completedAt,
      executionTimeMs: durationMs === null ? null : Math.round(durationMs),
    },
  });
}
