/** Tokens, keys and their scopes. */
import assert from "node:assert/strict";
import { createKey } from "../harness/keys.ts";
import type { Answer, Server } from "../harness/server.ts";
import { sharedServer } from "../harness/suite.ts";
import { assertError, makePair, postSync } from "../harness/sync.ts";
import { ROUTES, withoutMatch } from "./routes.ts";

const server = sharedServer();
let addresses = 1;

/** Sends from a loopback address of its own, for failed authentication is limited by address. */
async function fromElsewhere<T>(use: (elsewhere: (path: string, init: RequestInit) => Promise<Answer>) => Promise<T>) {
  using client = Deno.createHttpClient({ localAddress: `127.0.0.${++addresses}` });
  return await use(async (path, init) => {
    const response = await fetch(`${server().url}/api/v1${path}`, { ...init, client });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
  });
}

for (const [method, path] of ROUTES) {
  Deno.test(`${method} ${path} without a token is UNAUTHORIZED`, async () => {
    await fromElsewhere(async (send) => {
      const answer = await send(withoutMatch(path), { method });
      assertError(answer, 401, "UNAUTHORIZED");
      assert.match(answer.headers.get("www-authenticate") ?? "", /^Bearer\b/);
    });
  });
}

Deno.test("a wrong or malformed token is UNAUTHORIZED, and is not repeated in the answer", async () => {
  const wrong = [
    "Bearer wrong-token-7391",
    "Bearer ",
    "Bearer",
    `Basic ${btoa(`admin:${server().token}`)}`,
    server().token,
    `Bearer ${server().token}x`,
    `Bearer ${server().token.slice(0, -1)}`,
    `Bearer ${server().token.toUpperCase()}`,
    `Bearer ${"x".repeat(8_000)}`,
    "Bearer *",
  ];
  await fromElsewhere(async (send) => {
    for (const authorization of wrong) {
      const answer = assertError(await send("/health", { headers: { authorization } }), 401, "UNAUTHORIZED");
      assert.ok(!JSON.stringify(answer).includes("wrong-token-7391"));
    }
  });
});

Deno.test("the scheme's case does not matter", async () => {
  const answer = await server().request("GET", "/health", undefined, {
    token: null,
    headers: { authorization: `bearer ${server().token}` },
  });
  assert.equal(answer.status, 200);
});

Deno.test("failed authentication is limited by client address, and by nothing else", async () => {
  await fromElsewhere(async (send) => {
    let answer: Answer | undefined;
    for (let tries = 0; tries < 500 && answer?.status !== 429; tries++) {
      answer = await send("/health", { headers: { authorization: `Bearer guess-${tries}` } });
    }
    assert.ok(answer !== undefined);
    assertError(answer, 429, "RATE_LIMITED");
    assert.ok(Number(answer.headers.get("retry-after")) > 0);
  });
  await fromElsewhere(async (send) => {
    assertError(await send("/health", { headers: { authorization: "Bearer guess" } }), 401, "UNAUTHORIZED");
  });
  assert.equal((await server().request("GET", "/health")).status, 200);
});

async function withToken(on: Server, token: string, method: string, path: string, body?: unknown): Promise<Answer> {
  return await on.request(method, path, body, { token });
}

Deno.test("a key may do what its scopes say and nothing else", async () => {
  const pair = await makePair(server());
  const reader = await createKey(server(), ["read"]);
  assert.equal((await withToken(server(), reader.token, "GET", "/health")).status, 200);
  assert.equal((await withToken(server(), reader.token, "GET", "/sync/session")).status, 200);
  const refused = assertError(await postSync(server(), pair, {}, { token: reader.token }), 403, "FORBIDDEN");
  assert.match(refused.details, /sync/);

  const syncer = await createKey(server(), ["sync"]);
  assert.equal((await postSync(server(), pair, {}, { token: syncer.token })).status, 200);

  const admin = await createKey(server(), ["admin"]);
  assert.equal((await postSync(server(), pair, {}, { token: admin.token })).status, 200, "admin implies all");
  assert.equal((await withToken(server(), admin.token, "GET", "/keys")).status, 200);
});

Deno.test("only admin may see, make or delete keys", async () => {
  const key = await createKey(server(), ["read", "sync", "backup", "cloud", "merge"]);
  const before = (await server().request("GET", "/keys")).text;
  assertError(await withToken(server(), key.token, "GET", "/keys"), 403, "FORBIDDEN");
  const made = await withToken(server(), key.token, "POST", "/keys", { name: "mine", scopes: ["admin"] });
  assertError(made, 403, "FORBIDDEN");
  assertError(await withToken(server(), key.token, "DELETE", `/keys/${key.id}`), 403, "FORBIDDEN");
  // The list may say when a key was used last, so only its ids are compared.
  const ids = (text: string) => text.match(/"id":"[^"]+"/g);
  assert.deepEqual(ids((await server().request("GET", "/keys")).text), ids(before));
});

Deno.test("a key that is deleted is worth nothing at once, and is gone from the list", async () => {
  const key = await createKey(server(), ["read"], "short-lived");
  assert.ok((await server().request("GET", "/keys")).text.includes(key.id));
  const deleted = await server().request("DELETE", `/keys/${key.id}`);
  assert.ok(deleted.status === 200 || deleted.status === 204, deleted.text);
  assertError(await withToken(server(), key.token, "GET", "/health"), 401, "UNAUTHORIZED");
  assert.ok(!(await server().request("GET", "/keys")).text.includes(key.id));
  assertError(await server().request("DELETE", `/keys/${key.id}`), 404, "NOT_FOUND");
});

Deno.test("the list of keys never shows a token or its hash", async () => {
  const key = await createKey(server(), ["read"]);
  const listed = (await server().request("GET", "/keys")).text;
  assert.ok(!listed.includes(key.token));
  assert.ok(!listed.includes(server().token));
  assert.doesNotMatch(listed, /[0-9a-f]{64}/, "a SHA-256 hash");
});

Deno.test("a key needs a name and at least one known scope", async () => {
  const bad = [
    { name: "empty scope", scopes: [] },
    { name: "unknown scope", scopes: ["root"] },
    { name: "no list", scopes: "read" },
    { name: "no scopes" },
    { scopes: ["read"] },
    { name: 5, scopes: ["read"] },
    { name: "", scopes: ["read"] },
    { name: "x".repeat(100_000), scopes: ["read"] },
    {},
  ];
  for (const body of bad) assertError(await server().request("POST", "/keys", body), 400, "INVALID_REQUEST");
});
