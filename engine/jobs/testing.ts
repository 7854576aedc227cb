/** What the tests of sessions share. */
import { openTestState, type TestState } from "../state/testing.ts";
import { Sessions } from "./sessions.ts";
import type { JobContext, RunOutcome, RunSpec, StartedRun } from "./types.ts";

export interface TestSessions extends AsyncDisposable {
  test: TestState;
  sessions: Sessions;
  /** Restarts the server: an orderly shutdown, then a new start on the same directory. */
  restart(graceMs?: number): Promise<void>;
  /** Restarts it as after a kill: nothing is told to the sessions. */
  crash(): Promise<void>;
}

export async function openTestSessions(): Promise<TestSessions> {
  const test = await openTestState();
  const fixture: TestSessions = {
    test,
    sessions: await Sessions.open(test.state),
    async restart(graceMs = 1_000) {
      await fixture.sessions.shutdown(graceMs);
      fixture.sessions = await Sessions.open(await test.reopen());
    },
    async crash() {
      fixture.sessions = await Sessions.open(await test.reopen());
    },
    async [Symbol.asyncDispose]() {
      await fixture.sessions.shutdown(1_000);
      await test[Symbol.asyncDispose]();
    },
  };
  return fixture;
}

export const OUTCOME: RunOutcome = {
  success: true,
  changesApplied: 2,
  conflictsEncountered: 1,
  errors: [],
  bytesTransferred: 10,
};

/** Starts a run with this work; its outcome is {@link OUTCOME}, changed by what the work resolves with. */
export function start(
  sessions: Sessions,
  work: (job: JobContext) => Promise<Partial<RunOutcome>>,
  spec: Partial<RunSpec> = {},
): Promise<StartedRun<Partial<RunOutcome>>> {
  return sessions.run({
    kind: "sync.files",
    sourceIdentifier: "/source",
    targetIdentifier: "/target",
    ...spec,
    outcome: (result: Partial<RunOutcome>) => ({ ...OUTCOME, ...result }),
  }, work);
}

/** Work that goes on until it is stopped. */
export function untilStopped(job: JobContext): Promise<never> {
  return new Promise((_, reject) => {
    job.signal.addEventListener("abort", () => reject(job.signal.reason));
  });
}

export const MANUAL = { sourceLocation: "System1", targetLocation: "System2", syncType: "Full" };
