import assert from "node:assert/strict";
import { EngineError } from "../errors.ts";
import { EventLog, MAX_SUBSCRIBERS } from "./event_log.ts";
import { newSession } from "./new_session.ts";

const SESSION = newSession({
  kind: "sync.files",
  sourceIdentifier: "/a",
  targetIdentifier: "/b",
  syncType: null,
  status: "in-progress",
  message: "",
  parentId: null,
  keyId: null,
});

function append(log: EventLog, count: number, type = "progress"): void {
  for (let index = 0; index < count; index++) log.append(type, SESSION);
}

Deno.test("a subscriber has the kept events after its last, then those to come, until the end", async () => {
  const log = new EventLog(0);
  append(log, 3);
  const seen = Array.fromAsync(log.subscribe(1, new AbortController().signal), ({ id, type }) => `${id} ${type}`);
  await Promise.resolve();
  append(log, 2);
  append(log, 1, "completed");
  log.end();
  append(log, 5);
  assert.deepEqual(await seen, ["2 progress", "3 progress", "4 progress", "5 progress", "6 completed"]);
});

Deno.test("a slow subscriber skips events, in bounded memory, and has the last", async () => {
  const log = new EventLog(0);
  const subscription = log.subscribe(0, new AbortController().signal);
  append(log, 1);
  assert.equal((await subscription.next()).value?.id, 1);
  append(log, 100_000);
  append(log, 1, "completed");
  log.end();
  const rest = await Array.fromAsync(subscription, ({ id }) => id);
  assert.ok(rest.length <= 128, `${rest.length} events were kept`);
  assert.equal(rest.at(-1), 100_002);
});

Deno.test("the signal ends a subscription at once, also one that waits", async () => {
  const log = new EventLog(0);
  const abort = new AbortController();
  const waiting = log.subscribe(0, abort.signal).next();
  abort.abort();
  assert.deepEqual(await waiting, { done: true, value: undefined });
  append(log, 1);
  assert.equal((await log.subscribe(0, abort.signal).next()).done, true);
});

Deno.test("64 may subscribe; one that leaves, in whatever way, makes room", async () => {
  const log = new EventLog(0);
  append(log, 1);
  const aborts = Array.from({ length: MAX_SUBSCRIBERS }, () => new AbortController());
  const subscriptions = aborts.map(({ signal }) => log.subscribe(0, signal));
  const { signal } = new AbortController();
  const isFull = () =>
    assert.throws(() => log.subscribe(0, signal), (error) => {
      return error instanceof EngineError && error.kind === "conflict";
    });
  isFull();
  aborts[0].abort();
  aborts[0].abort();
  log.subscribe(0, signal);
  isFull();
  for await (const _ of subscriptions[1]) break;
  log.subscribe(0, signal);
  isFull();
  log.end();
  for (const subscription of subscriptions) for await (const _ of subscription);
  log.subscribe(0, signal);
});

Deno.test("ids go on from those given before, and an id from the future is taken as the last", async () => {
  const log = new EventLog(41);
  append(log, 1);
  const next = log.subscribe(1_000_000, new AbortController().signal).next();
  append(log, 1);
  assert.equal((await next).value?.id, 43);
});
