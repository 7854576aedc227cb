/** The limit of requests a minute for each key. */
import assert from "node:assert/strict";
import { createKey } from "../harness/keys.ts";
import { poll } from "../harness/poll.ts";
import { sharedServer } from "../harness/suite.ts";
import { assertError } from "../harness/sync.ts";

const LIMIT = 12;
const server = sharedServer({ env: { SYNCLINE_RATE_LIMIT: String(LIMIT) } });

Deno.test("each key has its own limit, every answer says what is left, and a 429 says when to come back", async () => {
  const [busy, calm] = [await createKey(server(), ["read"]), await createKey(server(), ["read"])];
  const get = (path: string, token: string) => server().request("GET", path, undefined, { token });

  // Answers of every kind count and carry the headers.
  const paths = ["/health", "/no/such/route", "/keys", "/metrics"];
  const started = performance.now();
  let answers = 0;
  let refused = await get("/health", busy.token);
  while (refused.status !== 429) {
    answers++;
    assert.equal(refused.headers.get("x-ratelimit-limit"), String(LIMIT));
    const remaining = Number(refused.headers.get("x-ratelimit-remaining"));
    if (answers === 1) assert.equal(remaining, LIMIT - 1);
    assert.ok(remaining >= 0 && remaining < LIMIT);
    assert.ok(refused.headers.get("x-ratelimit-reset"));
    // A window may end in between, once.
    assert.ok(answers <= 2 * LIMIT, "no request was refused");
    refused = await get(paths[answers % paths.length], busy.token);
  }
  assert.ok(answers >= LIMIT, `refused after ${answers} of ${LIMIT}`);
  assertError(refused, 429, "RATE_LIMITED");
  assert.equal(refused.headers.get("x-ratelimit-remaining"), "0");
  assert.equal(refused.headers.get("x-ratelimit-limit"), String(LIMIT));
  const retryAfter = Number(refused.headers.get("retry-after"));
  assert.ok(Number.isInteger(retryAfter) && retryAfter >= 1 && retryAfter <= 60, String(retryAfter));

  assert.equal((await get("/health", calm.token)).status, 200, "another key is not touched");
  assertError(await server().request("GET", "/health", undefined, { token: "wrong" }), 401, "UNAUTHORIZED");
  assert.equal((await server().request("GET", "//livez", undefined, { token: null })).status, 200);

  const waited = await poll("the limit's end", async () => {
    const answer = await get("/health", busy.token);
    return answer.status === 200 ? performance.now() - started : undefined;
  }, { deadlineMs: (retryAfter + 5) * 1_000, intervalMs: 500 });
  assert.ok(waited >= (retryAfter - 2) * 1_000, "the promised time had not passed");
});
