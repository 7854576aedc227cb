/** 64 requests at once, of every kind, beyond the limit: each answer is right, and the server is well afterwards. */
import assert from "node:assert/strict";
import { assertSameTree } from "../harness/compare.ts";
import { createKey } from "../harness/keys.ts";
import type { Answer } from "../harness/server.ts";
import { sharedServer } from "../harness/suite.ts";
import { assertError, makePair, type Pair, postSync } from "../harness/sync.ts";

const LIMIT = 200;
const AT_ONCE = 64;
const WAVES = 8;
const server = sharedServer({ env: { SYNCLINE_RATE_LIMIT: String(LIMIT) } });

interface Kind {
  send(token: string): Promise<Answer>;
  check(answer: Answer): void;
}

function kinds(pair: () => Promise<Pair>): Kind[] {
  const get = (path: string, check: (answer: Answer) => void): Kind => ({
    send: (token) => server().request("GET", path, undefined, { token }),
    check,
  });
  const fine = (answer: Answer) => assert.equal(answer.status, 200, answer.text);
  return [
    get("/health", fine),
    get("/metrics", fine),
    get("/metrics?format=prometheus", fine),
    get("/sync/session?limit=5", fine),
    get("/no/such/route", (answer) => void assertError(answer, 404, "NOT_FOUND")),
    get("/keys", (answer) => void assertError(answer, 403, "FORBIDDEN")),
    {
      send: (token) =>
        server().request("POST", "/sync/files", undefined, {
          token,
          rawBody: "{broken",
          headers: { "content-type": "application/json" },
        }),
      check: (answer) => void assertError(answer, 400, "INVALID_REQUEST"),
    },
    {
      send: (token) =>
        server().request(
          "POST",
          "/sync/session/start",
          { sourceLocation: "a", targetLocation: "b", syncType: "Full" },
          { token },
        ),
      check: (answer) => assert.ok(answer.status === 200 || answer.status === 201, answer.text),
    },
    {
      send: async (token) => await postSync(server(), await pair(), {}, { token }),
      check: fine,
    },
    {
      send: async (token) => await postSync(server(), await pair(), { dryRun: true }, { token }),
      check: fine,
    },
  ];
}

Deno.test("64 mixed requests at once, over the limit of one key, while another key works on", async () => {
  const pairs: Pair[] = [];
  const makeFilled = async () => {
    const pair = await makePair(server());
    for (let index = 0; index < 10; index++) {
      await Deno.writeTextFile(`${pair.source}/${index}`, "x".repeat(index * 100));
    }
    pairs.push(pair);
    return pair;
  };
  const all = kinds(makeFilled);
  const [greedy, modest] = [await createKey(server(), ["read", "sync"]), await createKey(server(), ["read", "sync"])];
  let [passed, refused] = [0, 0];
  const answered = async (index: number) => {
    const kind = all[index % all.length];
    const answer = await kind.send(greedy.token);
    if (answer.status === 429) {
      refused++;
      assertError(answer, 429, "RATE_LIMITED");
      assert.ok(Number(answer.headers.get("retry-after")) > 0);
    } else {
      passed++;
      kind.check(answer);
    }
    assert.equal(answer.headers.get("x-ratelimit-limit"), String(LIMIT));
    assert.ok(answer.headers.get("x-request-id"));
  };
  for (let wave = 0; wave < WAVES; wave++) {
    const beside = Array.from({ length: 4 }, async (_, index) => {
      const kind = all[(wave * 4 + index) % all.length];
      kind.check(await kind.send(modest.token));
    });
    await Promise.all([...Array.from({ length: AT_ONCE }, (_, index) => answered(wave * AT_ONCE + index)), ...beside]);
  }
  assert.equal(passed + refused, AT_ONCE * WAVES);
  // The minute may end once in between; never more gets through than the limit of two.
  assert.ok(passed >= LIMIT && passed <= 2 * LIMIT, `${passed} of ${AT_ONCE * WAVES} passed`);
  assert.ok(refused > 0);

  assert.equal((await server().request("GET", "/health")).status, 200);
  const copied = pairs[0];
  assert.equal((await postSync(server(), copied)).status, 200);
  await assertSameTree(copied.source, copied.target);
  const log = await server().stderr();
  assert.doesNotMatch(log, /unhandled|uncaught|INTERNAL_ERROR/i);
});

Deno.test("64 copies at once all end exactly equal", async () => {
  const pairs = await Promise.all(Array.from({ length: AT_ONCE }, () => makePair(server())));
  for (const { source } of pairs) {
    await Deno.mkdir(`${source}/sub`);
    for (let index = 0; index < 20; index++) await Deno.writeTextFile(`${source}/sub/${index}`, `${source} ${index}`);
  }
  const answers = await Promise.all(pairs.map((pair) => postSync(server(), pair)));
  for (const answer of answers) assert.deepEqual([answer.status, answer.body.changesApplied], [200, 21], answer.text);
  for (const { source, target } of pairs) await assertSameTree(source, target);
});
