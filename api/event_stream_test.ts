import assert from "node:assert/strict";
import type { Session, SessionEvent } from "../engine/jobs/mod.ts";
import { eventStream } from "./event_stream.ts";

const event = (id: number, type = "progress"): SessionEvent => ({ id, type, session: { sessionId: "s" } as Session });
const fail = (error: unknown) => assert.fail(String(error));
const never = new AbortController().signal;

Deno.test("events become blocks with id, event and data, and the stream ends with its source", async () => {
  async function* events() {
    yield event(1);
    yield event(2, "completed");
  }
  const text = await new Response(eventStream({ events, stopping: never, onError: fail })).text();
  assert.equal(
    text,
    ': open\n\nid: 1\nevent: progress\ndata: {"sessionId":"s"}\n\nid: 2\nevent: completed\ndata: {"sessionId":"s"}\n\n',
  );
});

/** A source without events that ends, by throwing or not, when nobody listens any more. */
function silent(throws: boolean) {
  const ended = Promise.withResolvers<void>();
  // deno-lint-ignore require-yield -- it has no events
  const events = async function* (signal: AbortSignal): AsyncGenerator<SessionEvent> {
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
    ended.resolve();
    if (throws) throw signal.reason;
  };
  return { events, ended: ended.promise };
}

Deno.test("a silent stream sends comments, and ends its source when the client goes", async () => {
  const { events, ended } = silent(true);
  const reader = eventStream({ events, stopping: never, onError: fail, heartbeatMs: 1 }).getReader();
  const read = async () => new TextDecoder().decode((await reader.read()).value);
  assert.equal(await read(), ": open\n\n");
  assert.equal(await read(), ": alive\n\n");
  assert.equal(await read(), ": alive\n\n");
  await reader.cancel();
  await ended;
});

Deno.test("a client that goes while its source has nothing is no failure, whether the source throws or returns", async () => {
  for (const throws of [true, false]) {
    const { events } = silent(throws);
    const reported: unknown[] = [];
    const stream = eventStream({ events, stopping: never, onError: (error) => reported.push(error) });
    const reader = stream.getReader();
    await reader.read();
    await reader.cancel();
    // The source ends in the turns after the cancelling.
    await new Promise((resolve) => setTimeout(resolve));
    assert.deepEqual(reported, []);
  }
});

for (const throws of [true, false]) {
  Deno.test(`a client that goes is no failure, where the source then ${throws ? "throws" : "returns"}`, async () => {
    const { events, ended } = silent(throws);
    const reported: unknown[] = [];
    const reader = eventStream({ events, stopping: never, onError: (error) => reported.push(error) }).getReader();
    await reader.read();
    await reader.cancel();
    await ended;
    await new Promise((turn) => setTimeout(turn, 0));
    assert.deepEqual(reported, []);
  });

  Deno.test(`a server that stops ends the stream, where its source ${throws ? "throws" : "returns"}`, async () => {
    const { events } = silent(throws);
    const stopping = new AbortController();
    const text = new Response(eventStream({ events, stopping: stopping.signal, onError: fail })).text();
    stopping.abort();
    assert.equal(await text, ": open\n\n");
  });
}

Deno.test("a source that fails is reported and breaks the stream off", async () => {
  const reported: unknown[] = [];
  const error = new Error("the source failed");
  // deno-lint-ignore require-yield -- it fails before its first event
  async function* events(): AsyncGenerator<SessionEvent> {
    throw error;
  }
  const stream = eventStream({ events, stopping: never, onError: (failure) => reported.push(failure) });
  await assert.rejects(new Response(stream).text(), /the source failed/);
  assert.deepEqual(reported, [error]);
});
