/** How a schedule's operation is carried out: as a request to the API, with the schedule as its caller. */
import type { Perform } from "../engine/jobs/schedules/mod.ts";
import type { ApiKey } from "../engine/state/mod.ts";
import type { App, Performed } from "./app.ts";
import type { SessionService } from "./environment.ts";
import { OPERATIONS } from "./schemas/schedules.ts";

/** @param stopping fires when the server begins to stop: what fails from then on was interrupted */
export function performSchedule(
  { perform }: Pick<App, "perform">,
  sessions: Pick<SessionService, "get" | "events" | "cancel">,
  stopping: AbortSignal,
): Perform {
  return async ({ id, name, operation, request, createdAt }) => {
    const key: ApiKey = { id, name: `schedule ${name}`, scopes: ["admin"], createdAt, lastUsedAt: null };
    try {
      const performed = await perform(OPERATIONS[operation].path, request, key);
      const { status, body, sessionId } = performed.status === 200 && operation === "sync.locations"
        ? await endOfSession(performed, sessions, stopping)
        : performed;
      if (status === 200 && body.success !== false) return { status: "succeeded", sessionId, error: null };
      return { status: stopping.aborted ? "interrupted" : "failed", sessionId, error: describe(status, body) };
    } catch (error) {
      return { status: "failed", sessionId: null, error: error instanceof Error ? error.message : String(error) };
    }
  };
}

/** A session between locations is answered when it has begun: waits for its end, and makes that the answer. */
async function endOfSession(
  started: Performed,
  sessions: Pick<SessionService, "get" | "events" | "cancel">,
  signal: AbortSignal,
): Promise<Performed> {
  const sessionId = started.sessionId as string;
  const { kind, sourceIdentifier, targetIdentifier } = await sessions.get(sessionId);
  if (kind !== "sync.locations") {
    // Nobody would complete it.
    await sessions.cancel(sessionId);
    return { sessionId, ...failed("NOT_FOUND", "A location is missing", `${sourceIdentifier} or ${targetIdentifier}`) };
  }
  // Ends with the session.
  for await (const _ of sessions.events(sessionId, { signal }));
  const { status, error, result, message } = await sessions.get(sessionId);
  if (error !== null) return { sessionId, ...failed(error.errorCode, error.message, error.details) };
  if (status !== "completed") return { sessionId, ...failed("CONFLICT", `The session is ${status}`, message) };
  return { sessionId, status: 200, body: result as Record<string, unknown> };
}

function failed(errorCode: string, message: string, details: string): Pick<Performed, "status" | "body"> {
  return { status: 500, body: { errorCode, message, details } };
}

function describe(status: number, body: Record<string, unknown>): string {
  if (status !== 200) return `${body.errorCode}: ${body.message}: ${body.details}`;
  const errors = Array.isArray(body.errors) ? body.errors : [];
  return errors.length === 0 ? "It did not succeed" : `${errors.length} errors, the first: ${errors[0]}`;
}
