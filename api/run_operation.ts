/** How a route runs an operation as a session, and answers for it. */
import type { Context, TypedResponse } from "hono";
import type { JobContext, RunOutcome, RunSpec, Session } from "../engine/jobs/mod.ts";
import { type AppEnv, BASE_PATH, type SessionService } from "./environment.ts";
import { callerOf } from "./middleware/authentication.ts";
import { prefersAsync } from "./prefer.ts";

export type OperationSpec<T> = Omit<RunSpec, "keyId"> & { outcome: (result: T) => RunOutcome };

/** Spelled out, since what `c.json` makes of a type parameter is too deep for the compiler. */
type Answer<T> = TypedResponse<T & { sessionId: string }, 200, "json"> | TypedResponse<Session, 202, "json">;

/** Answers with the operation's result once it is there, or with its session at once where the client prefers that. */
export async function runOperation<T extends object>(
  c: Context<AppEnv>,
  sessions: Pick<SessionService, "run">,
  spec: OperationSpec<T>,
  work: (job: JobContext) => Promise<T>,
): Promise<Answer<T>> {
  const run = await sessions.run(
    { ...spec, keyId: callerOf(c.env).id },
    async (job) => ({ ...await work(job), sessionId: job.sessionId }),
  );
  if (prefersAsync(c.req.header("prefer"))) return answerSession(c, run.session);
  c.env.sessionId = run.session.sessionId;
  return c.json(await run.done as never, 200) as Answer<T>;
}

/** The answer at once: the session of work that goes on. */
export function answerSession(c: Context<AppEnv>, session: Session): Response & TypedResponse<Session, 202, "json"> {
  c.env.sessionId = session.sessionId;
  c.header("Preference-Applied", "respond-async");
  c.header("Location", `${BASE_PATH}/sync/session/${session.sessionId}/status`);
  return c.json(session as never, 202) as Response & TypedResponse<Session, 202, "json">;
}
