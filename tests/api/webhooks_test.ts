/** Webhooks over HTTP, with a receiver that listens on loopback. */
import assert from "node:assert/strict";
import { Webhook } from "standardwebhooks";
import { poll } from "../harness/poll.ts";
import { type Received, startReceiver } from "../harness/receiver.ts";
import { makeSandbox } from "../harness/sandbox.ts";
import { type Server, type StartOptions, startServer } from "../harness/server.ts";

const ALLOW = { SYNCLINE_WEBHOOK_ALLOW: "127.0.0.1", SYNCLINE_RATE_LIMIT: "100000" };

const start = (options: StartOptions = {}) => startServer({ env: ALLOW, ...options });

async function subscribe(server: Server, url: string, events = ["sync.completed", "sync.failed"]) {
  const { status, body } = await server.request("POST", "/webhooks/subscribe", { url, events });
  assert.equal(status, 201, JSON.stringify(body));
  return body;
}

/** A run that succeeds, or one that fails. */
async function sync(server: Server, source = "source"): Promise<string | undefined> {
  await Deno.mkdir(`${server.root}/source`, { recursive: true });
  const { body } = await server.request("POST", "/sync/files", {
    sourceDirectory: `${server.root}/${source}`,
    targetDirectory: `${server.root}/target`,
  });
  return body.sessionId;
}

function verified(secret: string, { headers, body }: Received) {
  return new Webhook(secret).verify(body, Object.fromEntries(headers)) as {
    type: string;
    timestamp: string;
    data: Record<string, unknown>;
  };
}

Deno.test("a subscriber is told of ends, signed as Standard Webhooks has it", async () => {
  await using receiver = startReceiver();
  await using server = await start();
  const { id, secret, ...subscription } = await subscribe(server, receiver.url);
  assert.match(secret, /^whsec_[A-Za-z0-9+/]+=*$/);
  assert.deepEqual([subscription.url, subscription.events, subscription.disabledAt], [
    receiver.url,
    ["sync.completed", "sync.failed"],
    null,
  ]);

  const sessionId = await sync(server);
  await poll("the first event", () => receiver.received.length === 1);
  const completed = verified(secret, receiver.received[0]);
  assert.equal(completed.type, "sync.completed");
  assert.deepEqual([completed.data.sessionId, completed.data.status, completed.data.success], [
    sessionId,
    "completed",
    true,
  ]);
  assert.equal(receiver.received[0].headers.get("content-type"), "application/json");
  assert.throws(() => verified(`whsec_${btoa("x".repeat(32))}`, receiver.received[0]), /No matching signature/);

  await sync(server, "nowhere");
  await poll("the second event", () => receiver.received.length === 2);
  const failed = verified(secret, receiver.received[1]);
  assert.deepEqual([failed.type, failed.data.status, (failed.data.error as { errorCode: string }).errorCode], [
    "sync.failed",
    "failed",
    "SYNC_FAILED",
  ]);

  const { body } = await poll("both delivered", async () => {
    const answer = await server.request("GET", `/webhooks/${id}/deliveries?status=delivered`);
    return answer.body.deliveries.length === 2 ? answer : undefined;
  });
  assert.deepEqual(body.deliveries.map(({ event }: { event: string }) => event), ["sync.failed", "sync.completed"]);
  assert.deepEqual(
    body.deliveries.map(({ attempts }: { attempts: { statusCode: number; error: string | null }[] }) =>
      attempts.map(({ statusCode, error }) => [statusCode, error])
    ),
    [[[204, null]], [[204, null]]],
  );
  const listed = (await server.request("GET", "/webhooks")).body;
  assert.deepEqual([listed.totalCount, "secret" in listed.webhooks[0]], [1, false]);
  assert.ok(!(await server.stderr()).includes(secret));
});

Deno.test("a backup, a restore and a transfer have events of their own; others hear nothing of them", async () => {
  await using receiver = startReceiver();
  await using server = await start();
  await subscribe(server, `${receiver.url}?of=all`, ["backup.completed", "restore.completed", "cloud.completed"]);
  await subscribe(server, `${receiver.url}?of=sync`);
  await Deno.mkdir(`${server.root}/documents`);
  await Deno.writeTextFile(`${server.root}/documents/file`, "hello");
  const backupPath = `${server.root}/repository`;
  const sourceDirectory = `${server.root}/documents`;
  const { body: { versionId } } = await server.request("POST", "/backup/create", { sourceDirectory, backupPath });
  await server.request("POST", "/backup/restore", { backupPath, versionId, restorePath: `${server.root}/restored` });
  await server.request("POST", "/cloud/local/upload", { cloudPath: "a", localPath: `${sourceDirectory}/file` });
  const types = await poll("three events", () => {
    const found = receiver.received.map(({ body }) => JSON.parse(body).type).sort();
    return found.length >= 3 && found;
  });
  assert.deepEqual(types, ["backup.completed", "cloud.completed", "restore.completed"]);
});

Deno.test("a failed try is told, tried again, and can be repeated by hand", async () => {
  await using receiver = startReceiver();
  receiver.answer = () => new Response("no", { status: 500 });
  await using server = await start();
  const { id } = await subscribe(server, receiver.url);
  const tried = (await server.request("POST", `/webhooks/${id}/test`)).body;
  assert.deepEqual([tried.event, tried.status, tried.attempts.length], ["webhook.test", "pending", 1]);
  assert.deepEqual([tried.attempts[0].statusCode, tried.attempts[0].error], [500, "The receiver answered 500"]);
  const pause = Date.parse(tried.nextAttemptAt) - Date.parse(tried.attempts[0].at);
  assert.ok(pause >= 5_000 && pause < 10_000, `the next try is after ${pause} ms`);

  receiver.answer = () => new Response(null, { status: 302, headers: { location: receiver.url } });
  const redirected = (await server.request("POST", `/webhooks/${id}/test`)).body;
  assert.deepEqual([redirected.status, redirected.attempts[0].statusCode], ["pending", 302]);

  receiver.answer = () => new Response("ok");
  const path = `/webhooks/${id}/deliveries/${tried.id}/redeliver`;
  const again = (await server.request("POST", path)).body;
  assert.deepEqual([again.status, again.eventId, again.attempts.length], ["delivered", tried.eventId, 1]);
  const later = await poll("the second try of the first delivery", async () => {
    const { body } = await server.request("GET", `/webhooks/${id}/deliveries`);
    const first = body.deliveries.find((delivery: { id: number }) => delivery.id === tried.id);
    return first.status === "delivered" ? first : undefined;
  }, { deadlineMs: 20_000 });
  assert.equal(later.attempts.length, 2);
  assert.equal((await server.request("POST", `/webhooks/${id}/deliveries/999999/redeliver`)).status, 404);
});

Deno.test("Retry-After is honoured, and 410 ends a subscription", async () => {
  await using receiver = startReceiver();
  receiver.answer = () => new Response(null, { status: 503, headers: { "retry-after": "3600" } });
  await using server = await start();
  const { id } = await subscribe(server, receiver.url);
  const tried = (await server.request("POST", `/webhooks/${id}/test`)).body;
  const pause = Date.parse(tried.nextAttemptAt) - Date.parse(tried.attempts[0].at);
  assert.ok(pause >= 3_600_000 && pause < 3_700_000, `the next try is after ${pause} ms`);

  receiver.answer = () => new Response(null, { status: 410 });
  assert.equal((await server.request("POST", `/webhooks/${id}/test`)).body.status, "failed");
  const { webhooks } = (await server.request("GET", "/webhooks")).body;
  assert.notEqual(webhooks[0].disabledAt, null);
  const { deliveries } = (await server.request("GET", `/webhooks/${id}/deliveries`)).body;
  assert.ok(deliveries.every(({ status }: { status: string }) => status === "failed"));
  const refused = await server.request("POST", `/webhooks/${id}/test`);
  assert.deepEqual([refused.status, refused.body.errorCode], [409, "CONFLICT"]);
  const seen = receiver.received.length;
  await sync(server);
  assert.equal((await server.request("GET", `/webhooks/${id}/deliveries`)).body.deliveries.length, 2);
  assert.equal(receiver.received.length, seen);

  assert.equal((await server.request("DELETE", `/webhooks/${id}`)).status, 204);
  assert.equal((await server.request("DELETE", `/webhooks/${id}`)).status, 404);
  assert.equal((await server.request("GET", `/webhooks/${id}/deliveries`)).status, 404);
});

Deno.test("who waits for a try is answered when the subscription ends before it", async () => {
  for (const end of ["deleted", "gone"]) {
    await using receiver = startReceiver();
    const held = Promise.withResolvers<Response>();
    receiver.answer = () => held.promise.then((response) => response.clone());
    await using server = await start();
    const { id } = await subscribe(server, receiver.url);
    // More than are sent to one receiver at once.
    const tests = Array.from({ length: 12 }, () => server.request("POST", `/webhooks/${id}/test`));
    await poll("as many as fit", () => receiver.received.length === 8);
    if (end === "deleted") assert.equal((await server.request("DELETE", `/webhooks/${id}`)).status, 204);
    held.resolve(new Response(null, { status: end === "deleted" ? 204 : 410 }));
    const answers = await Promise.all(tests);
    for (const { status, body } of answers) {
      if (end === "deleted") assert.ok(status === 404 || body.status === "delivered", JSON.stringify(body));
      else assert.deepEqual([status, body.status], [200, "failed"]);
    }
    assert.equal(receiver.received.length, 8, end);
  }
});

Deno.test("URLs into private networks and malformed requests are refused", async () => {
  await using receiver = startReceiver();
  await using server = await startServer({ env: { SYNCLINE_RATE_LIMIT: "100000" } });
  const port = new URL(receiver.url).port;
  const refused = [
    receiver.url,
    `http://localhost:${port}/`,
    `http://2130706433:${port}/`,
    `http://0x7f.1:${port}/`,
    `http://[::1]:${port}/`,
    `http://[::ffff:127.0.0.1]:${port}/`,
    "http://169.254.169.254/latest/meta-data",
    "http://10.0.0.1/",
    "http://[fd00::1]/",
    "http://[64:ff9b::7f00:1]/",
    "https://0.0.0.0/",
  ];
  for (const url of refused) {
    const { status, body } = await server.request("POST", "/webhooks/subscribe", { url, events: ["sync.failed"] });
    assert.deepEqual([status, body.errorCode], [400, "INVALID_REQUEST"], url);
    assert.match(body.details, /^"url" must not lead into a private network .*SYNCLINE_WEBHOOK_ALLOW/, url);
  }
  const malformed: [object, RegExp][] = [
    [{ url: "ftp://example.com/", events: ["sync.failed"] }, /must be a URL/],
    [{ url: "/hook", events: ["sync.failed"] }, /must be a URL/],
    [{ url: "https://user:secret@example.com/", events: ["sync.failed"] }, /must not hold a user or a password/],
    [{ url: "https://no-such-host.invalid/", events: ["sync.failed"] }, /cannot be resolved/],
    [{ url: "https://8.8.8.8/", events: [] }, /events/],
    [{ url: "https://8.8.8.8/", events: ["sync.started"] }, /events/],
    [{ url: "https://8.8.8.8/", events: ["sync.failed", "sync.failed"] }, /twice/],
    [{ url: "https://8.8.8.8/", events: ["sync.failed"], secret: "hunter2" }, /whsec_/],
    [{ events: ["sync.failed"] }, /url/],
  ];
  for (const [body, words] of malformed) {
    const answer = await server.request("POST", "/webhooks/subscribe", body);
    assert.deepEqual([answer.status, answer.body.errorCode], [400, "INVALID_REQUEST"], JSON.stringify(body));
    assert.match(answer.body.details, words);
    assert.ok(!/secret@|hunter2/.test(answer.text));
  }
  assert.equal((await server.request("GET", "/webhooks")).body.totalCount, 0);
  assert.deepEqual(receiver.received, []);
});

Deno.test("an address is judged again at each delivery", async () => {
  await using receiver = startReceiver();
  await using sandbox = await makeSandbox();
  let id = "";
  {
    await using server = await start({ sandbox });
    id = (await subscribe(server, receiver.url)).id;
    assert.equal((await server.request("POST", `/webhooks/${id}/test`)).body.status, "delivered");
  }
  await using server = await startServer({ sandbox });
  const tried = (await server.request("POST", `/webhooks/${id}/test`)).body;
  assert.equal(tried.status, "pending");
  assert.match(tried.attempts[0].error, /^The URL must not lead into a private network/);
  assert.equal(receiver.received.length, 1);
});

Deno.test("no event is lost by a kill between the work and its delivery", async () => {
  await using receiver = startReceiver();
  await using sandbox = await makeSandbox();
  const sent = new Set<string | undefined>();
  const held = Promise.withResolvers<void>();
  let secret = "";
  for (let round = 0; round < 5; round++) {
    // While no answer comes every delivery stays in the outbox, until the process is gone.
    receiver.answer = () => held.promise.then(() => new Response(null, { status: 500 }));
    const server = await start({ sandbox });
    try {
      if (round === 0) secret = (await subscribe(server, receiver.url)).secret;
      for (let run = 0; run < 3; run++) sent.add(await sync(server, run === 2 ? "nowhere" : "source"));
    } finally {
      await server.kill();
    }
  }
  held.resolve();
  const arrived = new Map<string, string>();
  receiver.answer = (request) => {
    arrived.set(request.id, verified(secret, request).type);
    return new Response(null, { status: 204 });
  };
  await using server = await start({ sandbox });
  await poll("every event", () => arrived.size === 15);
  assert.deepEqual([...arrived.values()].sort(), [
    ...Array(10).fill("sync.completed"),
    ...Array(5).fill("sync.failed"),
  ]);
  const known = (await server.request("GET", "/sync/session?limit=200")).body.sessions
    .map(({ sessionId }: { sessionId: string }) => sessionId.replace("session-", "msg_"));
  assert.deepEqual([...arrived.keys()].sort(), known.sort());
});

Deno.test("a run that dies with the server is told of after the next start", async () => {
  await using receiver = startReceiver();
  await using sandbox = await makeSandbox();
  const server = await start({ sandbox });
  let secret = "";
  try {
    secret = (await subscribe(server, receiver.url)).secret;
    await Deno.mkdir(`${server.root}/source`);
    await Deno.writeFile(`${server.root}/source/large`, new Uint8Array(8 << 20));
    const { status } = await server.request("POST", "/sync/files", {
      sourceDirectory: `${server.root}/source`,
      targetDirectory: `${server.root}/target`,
      bandwidthLimit: 1 << 20,
    }, { headers: { prefer: "respond-async" } });
    assert.equal(status, 202);
  } finally {
    await server.kill();
  }
  await using _again = await start({ sandbox });
  await poll("the event", () => receiver.received.length === 1);
  const { type, data } = verified(secret, receiver.received[0]);
  assert.deepEqual([type, data.status, data.success], ["sync.failed", "interrupted", false]);
});
