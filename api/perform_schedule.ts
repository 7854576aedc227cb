/** How a schedule's operation is carried out: as a request to the API, with the schedule as its caller. */
import type { Perform } from "../engine/jobs/schedules/mod.ts";
import type { ApiKey } from "../engine/state/mod.ts";
import type { App } from "./app.ts";
import { OPERATIONS } from "./schemas/schedules.ts";

/** @param stopping fires when the server begins to stop: what fails from then on was interrupted */
export function performSchedule({ perform }: Pick<App, "perform">, stopping: AbortSignal): Perform {
  return async ({ id, name, operation, request, createdAt }) => {
    const key: ApiKey = { id, name: `schedule ${name}`, scopes: ["admin"], createdAt, lastUsedAt: null };
    try {
      const { status, body, sessionId } = await perform(OPERATIONS[operation].path, request, key);
      if (status === 200 && body.success !== false) return { status: "succeeded", sessionId, error: null };
      return { status: stopping.aborted ? "interrupted" : "failed", sessionId, error: describe(status, body) };
    } catch (error) {
      return { status: "failed", sessionId: null, error: error instanceof Error ? error.message : String(error) };
    }
  };
}

function describe(status: number, body: Record<string, unknown>): string {
  if (status !== 200) return `${body.errorCode}: ${body.message}: ${body.details}`;
  const errors = Array.isArray(body.errors) ? body.errors : [];
  return errors.length === 0 ? "It did not succeed" : `${errors.length} errors, the first: ${errors[0]}`;
}
