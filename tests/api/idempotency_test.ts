/** `Idempotency-Key`: the same request again within a day gets the first answer and does nothing. */
import assert from "node:assert/strict";
import { shell } from "../harness/command.ts";
import { createKey } from "../harness/keys.ts";
import { startServer } from "../harness/server.ts";
import { makeSandbox } from "../harness/sandbox.ts";
import { sharedServer } from "../harness/suite.ts";
import { assertError, makePair, postSync } from "../harness/sync.ts";

const server = sharedServer();

const keyed = (key: string = crypto.randomUUID()) => ({ headers: { "idempotency-key": key } });

async function operations(): Promise<number> {
  return (await server().request("GET", "/metrics")).body.totalSyncOperations;
}

Deno.test("the same key with the same body returns the first answer and does nothing again", async () => {
  const pair = await makePair(server());
  await Deno.writeTextFile(`${pair.source}/file`, "text");
  const once = keyed();
  const first = await postSync(server(), pair, {}, once);
  assert.equal(first.status, 200, first.text);
  await Deno.remove(`${pair.target}/file`);
  const before = await operations();
  const second = await postSync(server(), pair, {}, once);
  assert.deepEqual([second.status, second.text], [first.status, first.text]);
  assert.equal(await operations(), before);
  await assert.rejects(Deno.stat(`${pair.target}/file`), Deno.errors.NotFound);
});

Deno.test("the same key with another body, or on another route, is CONFLICT and does nothing", async () => {
  const pair = await makePair(server());
  const once = keyed();
  assert.equal((await postSync(server(), pair, {}, once)).status, 200);
  await Deno.writeTextFile(`${pair.source}/file`, "text");
  assertError(await postSync(server(), pair, { verifyIntegrity: true }, once), 409, "CONFLICT");
  await assert.rejects(Deno.stat(`${pair.target}/file`), Deno.errors.NotFound);
});

Deno.test("two at once with the same key are one operation", async () => {
  const pair = await makePair(server());
  for (let index = 0; index < 50; index++) await Deno.writeTextFile(`${pair.source}/${index}`, "x".repeat(index));
  const once = keyed();
  const before = await operations();
  const answers = await Promise.all(Array.from({ length: 8 }, () => postSync(server(), pair, {}, once)));
  const done = answers.filter((answer) => answer.status === 200);
  assert.ok(done.length > 0);
  for (const answer of done) assert.equal(answer.text, done[0].text);
  for (const answer of answers.filter((answer) => answer.status !== 200)) assertError(answer, 409, "CONFLICT");
  assert.equal(await operations(), before + 1);
});

Deno.test("another API key's Idempotency-Key is another one", async () => {
  const pair = await makePair(server());
  const other = await createKey(server(), ["sync"]);
  const once = keyed();
  assert.equal((await postSync(server(), pair, {}, once)).status, 200);
  const before = await operations();
  const answer = await postSync(server(), pair, {}, { ...once, token: other.token });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(await operations(), before + 1);
});

Deno.test("an answer is remembered over a restart", async () => {
  await using sandbox = await makeSandbox();
  const token = "token-of-the-restart-test";
  const once = keyed();
  await using first = await startServer({ sandbox, token });
  const pair = await makePair(first);
  await Deno.writeTextFile(`${pair.source}/file`, "text");
  const before = await postSync(first, pair, {}, once);
  await first.kill();
  await Deno.remove(`${pair.target}/file`);
  await using second = await startServer({ sandbox, token });
  const after = await postSync(second, pair, {}, once);
  assert.deepEqual([after.status, after.text], [before.status, before.text]);
  await assert.rejects(Deno.stat(`${pair.target}/file`), Deno.errors.NotFound);
});

Deno.test("with respond-async the same session comes back", async () => {
  const pair = await makePair(server());
  const options = keyed();
  const ask = () => postSync(server(), pair, {}, { headers: { ...options.headers, prefer: "respond-async" } });
  const [first, second] = [await ask(), await ask()];
  assert.deepEqual([first.status, second.status], [202, 202]);
  assert.equal(second.body.sessionId, first.body.sessionId);
  assert.equal(second.headers.get("location"), first.headers.get("location"));
});

Deno.test("a new key's token is stored nowhere, also with an Idempotency-Key", async () => {
  const body = { name: "secret", scopes: ["read"] };
  const once = keyed();
  const made = await server().request("POST", "/keys", body, once);
  assert.equal(made.status, 201, made.text);
  const again = await server().request("POST", "/keys", body, once);
  if (again.status === 201) assert.equal(again.text, made.text);
  else assertError(again, 409, "CONFLICT");
  // Files of runs that end meanwhile may go away while it looks.
  const found = await shell('grep -rslF -e "$1" . || test $? -le 2', [made.body.token], { cwd: server().dataDir });
  assert.equal(found, "");
});

Deno.test("an Idempotency-Key of an odd form is refused or used, never a failure", async () => {
  for (const key of ["", " ", "x".repeat(5_000), "'; DROP TABLE keys; --", "é"]) {
    const pair = await makePair(server());
    const answer = await postSync(server(), pair, {}, keyed(key));
    assert.ok(answer.status === 200 || answer.status === 400, `${answer.status} ${answer.text}`);
  }
});
