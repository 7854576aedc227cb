/** Server-sent events of a session: live, replayed, and ending. */
import assert from "node:assert/strict";
import { makeSandbox } from "../harness/sandbox.ts";
import { type Server, startServer } from "../harness/server.ts";
import { fillSource, sessionEnd, startSync } from "../harness/sessions.ts";
import { sharedServer } from "../harness/suite.ts";
import { assertError, makePair } from "../harness/sync.ts";

const server = sharedServer();

interface Event {
  id: number;
  type: string;
  // deno-lint-ignore no-explicit-any -- the session document
  data: any;
}

/** Reads a session's events until the stream ends or `limit` have come. */
async function readEvents(on: Server, sessionId: string, lastEventId?: number, limit = Infinity): Promise<Event[]> {
  const response = await on.fetch(`/sync/session/${sessionId}/events`, {
    headers: {
      authorization: `Bearer ${on.token}`,
      ...(lastEventId === undefined ? {} : { "last-event-id": String(lastEventId) }),
    },
    signal: AbortSignal.timeout(60_000),
  });
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream\b/);
  assert.ok(response.body !== null);
  const events: Event[] = [];
  let pending = "";
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    pending += text;
    const blocks = pending.split("\n\n");
    pending = blocks.pop() ?? "";
    for (const block of blocks) {
      const fields = new Map<string, string>();
      for (const line of block.split("\n")) {
        if (!line.startsWith(":")) fields.set(line.split(":", 1)[0], line.slice(line.indexOf(":") + 1).trimStart());
      }
      if (!fields.has("data")) continue;
      events.push({
        id: Number(fields.get("id")),
        type: fields.get("event") ?? "message",
        data: JSON.parse(fields.get("data") ?? "null"),
      });
    }
    if (events.length >= limit) break;
  }
  return events;
}

function assertWhole(events: Event[]): void {
  assert.ok(events.length > 0);
  for (let index = 1; index < events.length; index++) assert.ok(events[index].id > events[index - 1].id);
  assert.equal(events.at(-1)?.type, "completed");
  assert.equal(events.filter(({ type }) => type === "completed").length, 1);
}

Deno.test("a run's events come live, in order, and the stream ends with the last", async () => {
  const pair = await makePair(server());
  await fillSource(pair.source, 40);
  const sessionId = await startSync(server(), pair, { bandwidthLimit: 1_000_000 });
  const events = await readEvents(server(), sessionId);
  assertWhole(events);
  assert.ok(events.length > 2, `only ${events.length} events in two seconds`);
  const ended = await sessionEnd(server(), sessionId);
  assert.match(JSON.stringify(events.at(-1)?.data), new RegExp(sessionId));
  assert.equal(ended.status, "completed");
});

Deno.test("Last-Event-ID replays what came after it, during a run and after it", async () => {
  const pair = await makePair(server());
  await fillSource(pair.source, 40);
  const sessionId = await startSync(server(), pair, { bandwidthLimit: 1_000_000 });
  const begun = await readEvents(server(), sessionId, undefined, 2);
  const rest = await readEvents(server(), sessionId, begun[1].id);
  assertWhole(rest);
  assert.ok(rest[0].id > begun[1].id);

  const last = rest.at(-1);
  assert.ok(last !== undefined);
  const replayed = await readEvents(server(), sessionId, last.id - 1);
  assert.deepEqual(replayed.map(({ id, type }) => [id, type]), [[last.id, "completed"]]);
  assertWhole(await readEvents(server(), sessionId));
});

Deno.test("after the last event nothing is left, and the stream still ends", async () => {
  const pair = await makePair(server());
  const sessionId = await startSync(server(), pair);
  await sessionEnd(server(), sessionId);
  const all = await readEvents(server(), sessionId);
  assertWhole(all);
  const after = await readEvents(server(), sessionId, all.at(-1)?.id);
  assert.ok(after.length <= 1, "what was seen came again");
});

Deno.test("a session's last event is there after a restart", async () => {
  await using sandbox = await makeSandbox();
  await using first = await startServer({ sandbox, token: "events-restart-token" });
  const sessionId = await startSync(first, await makePair(first));
  await sessionEnd(first, sessionId);
  await first.stop();
  await using second = await startServer({ sandbox, token: "events-restart-token" });
  assertWhole(await readEvents(second, sessionId));
});

Deno.test("a wrong Last-Event-ID does no harm", async () => {
  const sessionId = await startSync(server(), await makePair(server()));
  await sessionEnd(server(), sessionId);
  for (const value of ["-5", "1e99", "abc", "999999999999999999999"]) {
    const answer = await server().request("GET", `/sync/session/${sessionId}/events`, undefined, {
      headers: { "last-event-id": value },
    });
    assert.ok(answer.status === 200 || answer.status === 400, `${value}: ${answer.status}`);
  }
});

Deno.test("events of a session that is not there are a NOT_FOUND in JSON", async () => {
  const path = "/sync/session/session-00000000-0000-4000-8000-000000000000/events";
  assertError(await server().request("GET", path), 404, "NOT_FOUND");
});

Deno.test("readers that go away in the middle leave the run and the server alone", async () => {
  const pair = await makePair(server());
  await fillSource(pair.source, 40);
  const sessionId = await startSync(server(), pair, { bandwidthLimit: 1_000_000 });
  await Promise.all(Array.from({ length: 16 }, () => readEvents(server(), sessionId, undefined, 1)));
  assert.equal((await sessionEnd(server(), sessionId)).status, "completed");
  assert.doesNotMatch(await server().stderr(), /unhandled|an event stream failed/i);
});
