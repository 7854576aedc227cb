/**
 * For the kill test: writes state without end and prints a line of JSON for each promise that resolved. Argument: the
 * data directory.
 */
import { Sessions } from "../jobs/sessions.ts";
import { openState } from "./open.ts";

export type Line =
  | { type: "key"; token: string; id: string; isForGood: boolean }
  | { type: "deleted"; id: string }
  | { type: "manual" | "started"; sessionId: string }
  | { type: "ended"; sessionId: string; changes: number }
  | { type: "answer"; idempotencyKey: string };

const state = await openState({ dataDir: Deno.args[0] });
const sessions = await Sessions.open(state);
const encoder = new TextEncoder();

function say(line: Line): void {
  Deno.stdout.writeSync(encoder.encode(`${JSON.stringify(line)}\n`));
}

async function forEver(action: (count: number) => Promise<void>): Promise<never> {
  for (let count = 0;; count++) await action(count);
}

async function run(changes: number): Promise<void> {
  const started = await sessions.run({
    kind: "sync.files",
    sourceIdentifier: "/source",
    targetIdentifier: "/target",
    outcome: (result: { changes: number }) => ({
      success: true,
      changesApplied: result.changes,
      conflictsEncountered: 0,
      errors: [],
      bytesTransferred: 1,
    }),
  }, async (job) => {
    for (let step = 0; step < 4; step++) {
      job.progress({ percentage: step * 25, figures: { step } });
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return { changes };
  });
  say({ type: "started", sessionId: started.session.sessionId });
  await started.done;
  say({ type: "ended", sessionId: started.session.sessionId, changes });
}

await Promise.all([
  forEver(async (count) => {
    const { key, token } = await state.keys.create({ name: `key ${count}`, scopes: ["read"] });
    const isForGood = count % 3 !== 0;
    say({ type: "key", token, id: key.id, isForGood });
    if (isForGood) return;
    await state.keys.delete(key.id);
    say({ type: "deleted", id: key.id });
  }),
  forEver(run),
  forEver(run),
  forEver(async () => {
    const session = await sessions.startManual({ sourceLocation: "A", targetLocation: "B", syncType: "Full" });
    say({ type: "manual", sessionId: session.sessionId });
  }),
  forEver(async (count) => {
    const id = { keyId: "key", idempotencyKey: `${Deno.pid}-${count}` };
    await state.idempotency.claim({ ...id, fingerprint: "f" });
    await state.idempotency.complete({ ...id, status: 200, headers: {}, body: "answer" });
    say({ type: "answer", idempotencyKey: id.idempotencyKey });
  }),
]);
