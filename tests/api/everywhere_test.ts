/** What the contract says of every answer: shape of errors, request ids, unknown routes and methods. */
import assert from "node:assert/strict";
import { poll } from "../harness/poll.ts";
import { sharedServer } from "../harness/suite.ts";
import { assertError } from "../harness/sync.ts";
import { ROUTES, withoutMatch } from "./routes.ts";

const server = sharedServer();

Deno.test("an unknown route is NOT_FOUND in the contract's shape", async () => {
  for (const method of ["GET", "POST", "PUT", "DELETE"]) {
    assertError(await server().request(method, "/no/such/route"), 404, "NOT_FOUND");
  }
  assertError(await server().request("GET", "//nowhere"), 404, "NOT_FOUND");
  assertError(await server().request("GET", "//api/v2/health"), 404, "NOT_FOUND");
});

Deno.test("an id that nothing has is NOT_FOUND", async () => {
  // A version's id is looked for in the repository that the query names: see backup_test.ts.
  for (const [method, path] of ROUTES.filter(([, path]) => path.includes("{}") && !path.startsWith("/backup/"))) {
    assertError(await server().request(method, withoutMatch(path)), 404, "NOT_FOUND");
  }
});

Deno.test("ids of odd forms are refused, not searched for in other places", async () => {
  for (const id of ["%00", "..%2f..%2fetc", "%ff", "a".repeat(3_000), "%27%20OR%201=1--", "*"]) {
    const { status, body } = await server().request("GET", `/sync/session/${id}/status`);
    assert.ok(status === 400 || status === 404, `${id}: ${status}`);
    assert.equal(typeof body?.errorCode, "string");
  }
});

for (const [method, path] of ROUTES) {
  Deno.test(`a wrong method on ${path} (where ${method} is right) is 405 with Allow`, async () => {
    const answer = await server().request("PUT", withoutMatch(path));
    assertError(answer, 405, answer.body?.errorCode);
    assert.match(answer.body.errorCode, /^[A-Z_]+$/);
    assert.ok(answer.headers.get("allow")?.split(/,\s*/).includes(method), answer.headers.get("allow") ?? "no Allow");
  });
}

Deno.test("each answer has a request id of its own", async () => {
  const ids = new Set<string | null>();
  for (const path of ["/health", "/health", "/no/such/route", "//livez", "//nowhere"]) {
    ids.add((await server().request("GET", path)).headers.get("x-request-id"));
  }
  assert.equal(ids.size, 5);
  assert.ok(!ids.has(null));
});

Deno.test("a caller's sane request id comes back and is in the log", async () => {
  const id = `test-${crypto.randomUUID()}`;
  const answer = await server().request("GET", "/sync/session", undefined, { headers: { "x-request-id": id } });
  assert.equal(answer.headers.get("x-request-id"), id);
  await poll("the id in the log", async () => (await server().stderr()).includes(id));
});

Deno.test("a caller's insane request id is replaced", async () => {
  for (const id of ["x".repeat(5_000), 'a" b', "a\tb", "{}<script>", "é"]) {
    const answer = await server().request("GET", "/health", undefined, { headers: { "x-request-id": id } });
    assert.equal(answer.status, 200);
    assert.notEqual(answer.headers.get("x-request-id"), id);
    assert.match(answer.headers.get("x-request-id") ?? "", /^[\x21-\x7e]{1,256}$/);
  }
});

Deno.test("each line of the log is one JSON object, whatever clients send", async () => {
  await server().request("GET", "/%0a%0d%22{}/injected");
  await server().request("GET", "/health?x=%0a{", undefined, { headers: { "user-agent": 'a"b\\c' } });
  for (const line of (await server().stderr()).split("\n").filter((line) => line !== "")) {
    assert.equal(typeof JSON.parse(line), "object", line);
  }
});

Deno.test("HEAD and OPTIONS neither crash nor leak", async () => {
  for (const path of ["/health", "/sync/files", "//livez", "/no/such/route"]) {
    for (const method of ["HEAD", "OPTIONS"]) {
      const answer = await server().request(method, path);
      assert.ok(answer.status < 500, `${method} ${path}: ${answer.status}`);
    }
  }
});
