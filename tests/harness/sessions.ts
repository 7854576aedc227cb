/** Sessions as tests watch them. */
import assert from "node:assert/strict";
import { poll } from "./poll.ts";
import type { Json, Server } from "./server.ts";
import { type Pair, postSync } from "./sync.ts";

const OVER = ["completed", "failed", "cancelled", "interrupted"];

/** The session's status document. */
export async function sessionStatus(server: Server, sessionId: string): Promise<Json> {
  const answer = await server.request("GET", `/sync/session/${sessionId}/status`);
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

/** Polls until the session is over, however it ended. */
export function sessionEnd(server: Server, sessionId: string, deadlineMs = 60_000): Promise<Json> {
  return poll(`the end of ${sessionId}`, async () => {
    const session = await sessionStatus(server, sessionId);
    return OVER.includes(session.status) ? session : undefined;
  }, { deadlineMs });
}

/** Starts a synchronisation with `Prefer: respond-async` and returns its session's id. */
export async function startSync(server: Server, pair: Pair, fields: Json = {}): Promise<string> {
  const answer = await postSync(server, pair, fields, { headers: { prefer: "respond-async" } });
  assert.equal(answer.status, 202, answer.text);
  assert.match(answer.body.sessionId, /./);
  return answer.body.sessionId;
}

/**
 * A source of `files` files of 50 kB, for a copy that a bandwidth limit stretches. Returns when they are written.
 */
export async function fillSource(directory: string, files: number): Promise<void> {
  for (let index = 0; index < files; index++) {
    const content = new Uint8Array(50_000).fill(index % 256);
    await Deno.writeFile(`${directory}/file-${index}`, content);
  }
}

/** Polls until the directory holds at least `count` finished files. */
export function filesIn(directory: string, count: number, prefix = "file-"): Promise<true> {
  return poll(`${count} files in the target`, async () => {
    try {
      return (await Array.fromAsync(Deno.readDir(directory))).filter(({ name }) => name.startsWith(prefix)).length >=
        count;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  });
}
