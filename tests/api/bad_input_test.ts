/** Input that no server must fall over: each is refused with its own clear error, and nothing is touched. */
import assert from "node:assert/strict";
import { sharedServer } from "../harness/suite.ts";
import { assertError, makePair, postSync } from "../harness/sync.ts";
import { ROUTES, withoutMatch } from "./routes.ts";

const server = sharedServer();
const JSON_TYPE = { "content-type": "application/json" };

const NO_JSON: [string, string][] = [
  ["an empty body", ""],
  ["a cut object", '{"sourceDirectory": "/a"'],
  ["words", "hello"],
  ["a comment", '{/* "a": 1 */}'],
  ["two values", "{}{}"],
  ["single quotes", "{'a': 1}"],
  ["an array", "[]"],
  ["null", "null"],
  ["a string", '"text"'],
  ["a number", "1e999"],
  ["deep arrays", "[".repeat(100_000) + "]".repeat(100_000)],
  ["deep objects", '{"a":'.repeat(100_000) + "1" + "}".repeat(100_000)],
  ["deep value in a field", `{"sourceDirectory":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
];

for (const [name, rawBody] of NO_JSON) {
  Deno.test(`a body that is ${name} is INVALID_REQUEST on every POST that takes one`, async () => {
    for (const path of ["/sync/files", "/sync/session/start", "/keys"]) {
      const answer = await server().request("POST", path, undefined, { rawBody, headers: JSON_TYPE });
      assertError(answer, 400, "INVALID_REQUEST");
    }
  });
}

Deno.test("bytes that are no UTF-8 are INVALID_REQUEST", async () => {
  const rawBody = new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]);
  const answer = await server().request("POST", "/sync/files", undefined, { rawBody, headers: JSON_TYPE });
  assertError(answer, 400, "INVALID_REQUEST");
});

Deno.test("5 MB of JSON are PAYLOAD_TOO_LARGE, with a length and without", async () => {
  const text = JSON.stringify({
    sourceDirectory: "/a",
    targetDirectory: "/b",
    excludePatterns: ["x".repeat(5_000_000)],
  });
  const whole = await server().request("POST", "/sync/files", undefined, { rawBody: text, headers: JSON_TYPE });
  assertError(whole, 413, "PAYLOAD_TOO_LARGE");
  const chunked = await server().request("POST", "/sync/files", undefined, {
    rawBody: new Blob([text]).stream(),
    headers: JSON_TYPE,
  });
  assertError(chunked, 413, "PAYLOAD_TOO_LARGE");
  assert.equal((await server().request("GET", "/health")).status, 200);
});

Deno.test("a body just under 1 MiB is read", async () => {
  const pair = await makePair(server());
  const excludePatterns = Array.from({ length: 1_000 }, (_, index) => `${index}`.padEnd(1_000, "x"));
  assert.equal((await postSync(server(), pair, { excludePatterns })).status, 200);
});

const WRONG_FIELDS: [string, unknown][] = [
  ["sourceDirectory", 5],
  ["sourceDirectory", null],
  ["sourceDirectory", ["/a"]],
  ["sourceDirectory", { path: "/a" }],
  ["sourceDirectory", undefined],
  ["sourceDirectory", ""],
  ["targetDirectory", true],
  ["targetDirectory", undefined],
  ["targetDirectory", ""],
  ["deleteMissingInTarget", "true"],
  ["deleteMissingInTarget", 1],
  ["verifyIntegrity", "yes"],
  ["excludePatterns", "*.tmp"],
  ["excludePatterns", [1]],
  ["excludePatterns", { 0: "*.tmp" }],
  ["includePatterns", [null]],
  ["direction", "sideways"],
  ["conflictStrategy", "Coin"],
  ["conflictStrategy", 1],
  ["dryRun", "no"],
  ["maxDelete", -1],
  ["maxDelete", 1.5],
  ["maxDelete", "10"],
  ["trashDirectory", 7],
  ["preservePermissions", 0],
  ["bandwidthLimit", -5],
  ["bandwidthLimit", "fast"],
  ["sessionId", 12],
];

for (const [field, value] of WRONG_FIELDS) {
  Deno.test(`POST /sync/files with ${field} ${JSON.stringify(value) ?? "missing"} is INVALID_REQUEST and names it`, async () => {
    const pair = await makePair(server());
    await Deno.writeTextFile(`${pair.source}/file`, "text");
    const { details } = assertError(await postSync(server(), pair, { [field]: value }), 400, "INVALID_REQUEST");
    assert.ok(details.includes(field), details);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(pair.target)), []);
  });
}

Deno.test("POST /sync/session/start needs its fields as strings", async () => {
  const good = { sourceLocation: "System1", targetLocation: "System2", syncType: "Full" };
  for (const field of ["sourceLocation", "targetLocation"]) {
    for (const value of [undefined, null, 5, ["a"], ""]) {
      const answer = await server().request("POST", "/sync/session/start", { ...good, [field]: value });
      assert.ok(assertError(answer, 400, "INVALID_REQUEST").details.includes(field));
    }
  }
});

Deno.test("a body of another type than JSON is refused", async () => {
  const pair = await makePair(server());
  const rawBody = new URLSearchParams({ sourceDirectory: pair.source, targetDirectory: pair.target });
  const answer = await server().request("POST", "/sync/files", undefined, { rawBody });
  assertError(answer, answer.status === 415 ? 415 : 400, "INVALID_REQUEST");
});

Deno.test("keys of an object's prototype do nothing", async () => {
  const pair = await makePair(server());
  for (const field of ["__proto__", "constructor", "prototype"]) {
    const rawBody = `{"${field}":{"dryRun":true,"admin":true},"sourceDirectory":${JSON.stringify(pair.source)},` +
      `"targetDirectory":${JSON.stringify(pair.target)}}`;
    const answer = await server().request("POST", "/sync/files", undefined, { rawBody, headers: JSON_TYPE });
    assert.ok(answer.status === 200 || answer.status === 400, answer.text);
    assert.notEqual(answer.body.dryRun, true);
  }
});

Deno.test("wrong query values of the session list are INVALID_REQUEST", async () => {
  for (const query of ["limit=0", "limit=-1", "limit=many", "limit=1e99", "cursor=%00broken", "status=asleep"]) {
    assertError(await server().request("GET", `/sync/session?${query}`), 400, "INVALID_REQUEST");
  }
});

Deno.test("every route survives a body and a query that it does not want", async () => {
  for (const [method, path] of ROUTES) {
    const rawBody = method === "GET" ? undefined : `{"surprise":"${"y".repeat(1_000)}"}`;
    const target = `${withoutMatch(path)}?a[b]=c&a=%ff&__proto__=1&${"z".repeat(2_000)}`;
    const answer = await server().request(method, target, undefined, { rawBody, headers: JSON_TYPE });
    assert.ok(answer.status < 500, `${method} ${path}: ${answer.status} ${answer.text}`);
  }
  assert.doesNotMatch(await server().stderr(), /unhandled|INTERNAL_ERROR/i);
});
