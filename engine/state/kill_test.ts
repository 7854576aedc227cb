import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { createRandom, testSeed } from "../../tests/harness/random.ts";
import { Sessions } from "../jobs/sessions.ts";
import { openState } from "./open.ts";
import type { Line } from "./kill_child.ts";
import { temporaryDirectory } from "./testing.ts";
import type { State } from "./types.ts";

const ROUNDS = 12;

/** Runs the writing process and kills it once it has kept so many promises; returns those it told of. */
async function writeUntilKilled(dataDir: string, promises: number): Promise<Line[]> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", fileURLToPath(new URL("./kill_child.ts", import.meta.url)), dataDir],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  let text = "";
  let lines = 0;
  for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += piece;
    lines += piece.split("\n").length - 1;
    if (lines >= promises) child.kill("SIGKILL");
  }
  const { signal } = await child.status;
  assert.equal(signal, "SIGKILL", await stderr);
  // The last line may have been cut off by the kill.
  return text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
}

interface Promised {
  /** Id → token, of those that nobody deletes. */
  keys: Map<string, string>;
  /** Id → token, of those that are deleted soon. */
  shortLived: Map<string, string>;
  deleted: Set<string>;
  manual: Set<string>;
  started: Set<string>;
  ended: Map<string, number>;
  answers: Set<string>;
}

function note(promised: Promised, line: Line): void {
  switch (line.type) {
    case "key":
      (line.isForGood ? promised.keys : promised.shortLived).set(line.id, line.token);
      break;
    case "deleted":
      promised.deleted.add(line.id);
      break;
    case "ended":
      promised.ended.set(line.sessionId, line.changes);
      break;
    case "answer":
      promised.answers.add(line.idempotencyKey);
      break;
    default:
      promised[line.type].add(line.sessionId);
  }
}

async function check(state: State, promised: Promised): Promise<void> {
  const sessions = await Sessions.open(state);
  for (const [id, token] of promised.keys) assert.equal(state.keys.findByToken(token)?.id, id, "a key is lost");
  for (const id of promised.deleted) {
    const token = promised.shortLived.get(id);
    assert.ok(token);
    assert.equal(state.keys.findByToken(token), undefined, "a deleted key is back");
  }
  for (const sessionId of promised.manual) assert.equal((await sessions.get(sessionId)).status, "pending");
  for (const sessionId of promised.started) {
    const { status, completedAt } = await sessions.get(sessionId);
    assert.ok(status === "completed" || status === "interrupted", status);
    assert.notEqual(completedAt, null);
  }
  for (const [sessionId, changes] of promised.ended) {
    const { status, result } = await sessions.get(sessionId);
    assert.deepEqual([status, result], ["completed", { changes }]);
  }
  for (const idempotencyKey of promised.answers) {
    const claim = await state.idempotency.claim({ keyId: "key", idempotencyKey, fingerprint: "f" });
    assert.equal(claim.kind, "done");
  }
  await checkSums(sessions, promised);
  await sessions.shutdown(0);
}

/** The metrics agree with the sessions, whatever was killed between them. */
async function checkSums(sessions: Sessions, promised: Promised): Promise<void> {
  const { totalCount: completed } = await sessions.list({ limit: 1, status: "completed" });
  const { totalCount: interrupted } = await sessions.list({ limit: 1, status: "interrupted" });
  assert.equal((await sessions.list({ limit: 1, status: "in-progress" })).totalCount, 0);
  const totals = sessions.totals();
  assert.ok(completed >= promised.ended.size);
  assert.deepEqual(
    [totals.totalSyncOperations, totals.successfulSyncs, totals.failedSyncs, totals.totalDataTransferred],
    [completed + interrupted, completed, interrupted, completed],
  );
}

Deno.test("what was promised is there after a kill at any moment", async () => {
  const random = createRandom(testSeed("state kill"));
  await using directory = await temporaryDirectory();
  const dataDir = `${directory.path}/data`;
  const promised: Promised = {
    keys: new Map(),
    shortLived: new Map(),
    deleted: new Set(),
    manual: new Set(),
    started: new Set(),
    ended: new Map(),
    answers: new Set(),
  };
  for (let round = 0; round < ROUNDS; round++) {
    for (const line of await writeUntilKilled(dataDir, 1 + random.below(400))) note(promised, line);
    const state = await openState({ dataDir });
    try {
      await check(state, promised);
    } finally {
      await state.close();
    }
  }
  for (const kind of Object.values(promised)) assert.ok(kind.size > 0, "the process wrote less than the test is about");
});
