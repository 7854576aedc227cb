/** What no HTTP client sends, written to the socket byte by byte. */
import assert from "node:assert/strict";
import { sharedServer } from "../harness/suite.ts";

const server = sharedServer();

/** Sends a request and returns everything that comes back until the server closes the connection. */
async function exchange(line: string, headers: Record<string, string>, body = ""): Promise<string> {
  const { hostname, port } = new URL(server().url);
  using socket = await Deno.connect({ hostname, port: Number(port) });
  const all = { Host: "x", Connection: "close", Authorization: `Bearer ${server().token}`, ...headers };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  await socket.write(new TextEncoder().encode(`${line} HTTP/1.1\r\n${head}\r\n${body}`));
  return await new Response(socket.readable).text();
}

function assertRefused(answer: string, status: number, errorCode: string): void {
  assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `));
  assert.match(answer, /^x-request-id: \S+\r$/im);
  const body = JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4));
  assert.deepEqual(Object.keys(body), ["errorCode", "message", "details", "timestamp"]);
  assert.equal(body.errorCode, errorCode);
}

Deno.test("a Host that is none is 400 for every method, and never another route", async () => {
  const body = JSON.stringify({ name: "never", scopes: ["read"] });
  const posted = { "Content-Type": "application/json", "Content-Length": String(body.length) };
  for (
    const host of [
      "x/api/v1/keys?",
      "x/api/v1/keys?#",
      "x#",
      "u:p@h",
      "[",
      "a b",
      "x:99999",
      "x:abc",
      "%zz",
      "999.1.1.1",
    ]
  ) {
    assertRefused(await exchange("GET /api/v1/health", { Host: host }), 400, "INVALID_REQUEST");
    assertRefused(await exchange("POST /api/v1/keys", { Host: host, ...posted }, body), 400, "INVALID_REQUEST");
    const keyed = { Host: host, ...posted, "Idempotency-Key": crypto.randomUUID() };
    assertRefused(await exchange("POST /api/v1/keys", keyed, body), 400, "INVALID_REQUEST");
  }
  assertRefused(await exchange("POST http://x:99999/api/v1/keys", posted, body), 400, "INVALID_REQUEST");
  assert.equal((await server().request("GET", "/keys")).body.totalCount, 1);
  for (const host of ["localhost", "127.0.0.1:1", "[::1]:8080", "a_b.example"]) {
    assert.match(await exchange("GET /api/v1/health", { Host: host }), /^HTTP\/1.1 200 /);
  }
});

Deno.test("a path is the same to the guards and to the router, however it is written", async () => {
  for (
    const path of ["/%61pi/v1/keys", "/api/v1/k%65ys", "/api/v1", "/api/v1/keys%", "/api/v1/%zz", "/api/v1/keys?%"]
  ) {
    assertRefused(await exchange(`GET ${path}`, { Authorization: "none" }), 401, "UNAUTHORIZED");
  }
  for (const path of ["/api%2Fv1/keys", "//api/v1/keys", "/x/../api/v1/keys", "/API/v1/keys", "/%2561pi/v1/keys"]) {
    assertRefused(await exchange(`GET ${path}`, {}), 404, "NOT_FOUND");
  }
});

Deno.test("methods that nobody takes are 405; a long one is cut in the answer", async () => {
  for (const method of ["TRACE", "OPTIONS", "get", "PROPFIND"]) {
    const answer = await exchange(`${method} /api/v1/health`, {});
    assertRefused(answer, 405, "INVALID_REQUEST");
    assert.match(answer, /^allow: GET, HEAD\r$/im);
  }
  const long = await exchange(`${"X".repeat(5000)} /api/v1/health`, {});
  assertRefused(long, 405, "INVALID_REQUEST");
  assert.ok(long.length < 1000);
});

Deno.test("HEAD has the status of GET and no body", async () => {
  for (const path of ["/openapi.json", "/livez", "/api/v1/health", "/api/v1/nowhere"]) {
    const [head, get] = [await exchange(`HEAD ${path}`, {}), await exchange(`GET ${path}`, {})];
    assert.ok(head.endsWith("\r\n\r\n"), head);
    assert.equal(head.slice(0, 15), get.slice(0, 15));
  }
});

Deno.test("HEAD of an event stream leaves nobody listening", async () => {
  const location = { sourceLocation: "a", targetLocation: "b", syncType: "Full" };
  const { sessionId } = (await server().request("POST", "/sync/session/start", location)).body;
  const path = `/api/v1/sync/session/${sessionId}/events`;
  // More than may listen at once.
  for (let asked = 0; asked < 200; asked++) assert.match(await exchange(`HEAD ${path}`, {}), /^HTTP\/1.1 200 /);
  assert.equal((await server().request("POST", `/sync/session/${sessionId}/complete`)).status, 200);
  assert.match(await exchange(`GET ${path}`, {}), /event: completed/);
  assert.doesNotMatch(await server().stderr(), /"level":"error"/);
});
