import assert from "node:assert/strict";
import { openTestState, tamper } from "./testing.ts";

const ID = { keyId: "key-1", idempotencyKey: "order-17" };
const ANSWER = { status: 201, headers: { location: "/a" }, body: '{"ok":true}' };

Deno.test("the first claim is new, the next one running, then done with the stored answer", async () => {
  await using test = await openTestState();
  const { idempotency } = test.state;
  const claims = await Promise.all([1, 2].map(() => idempotency.claim({ ...ID, fingerprint: "f" })));
  assert.deepEqual(claims, [{ kind: "new" }, { kind: "running" }]);
  assert.deepEqual(await idempotency.claim({ ...ID, fingerprint: "g" }), { kind: "mismatch" });
  assert.deepEqual(await idempotency.claim({ ...ID, keyId: "key-2", fingerprint: "g" }), { kind: "new" });
  await idempotency.complete({ ...ID, ...ANSWER });
  assert.deepEqual(await idempotency.claim({ ...ID, fingerprint: "f" }), { kind: "done", ...ANSWER });
  assert.deepEqual(await idempotency.claim({ ...ID, fingerprint: "g" }), { kind: "mismatch" });

  const state = await test.reopen();
  assert.deepEqual(await state.idempotency.claim({ ...ID, fingerprint: "f" }), { kind: "done", ...ANSWER });
  assert.deepEqual(await state.idempotency.claim({ ...ID, keyId: "key-2", fingerprint: "f" }), { kind: "new" });
});

Deno.test("a released claim is new again, and one that is not held cannot be completed", async () => {
  await using test = await openTestState();
  const { idempotency } = test.state;
  await idempotency.claim({ ...ID, fingerprint: "f" });
  await idempotency.release(ID);
  await assert.rejects(idempotency.complete({ ...ID, ...ANSWER }), /not held/);
  assert.deepEqual(await idempotency.claim({ ...ID, fingerprint: "g" }), { kind: "new" });
});

Deno.test("keys cannot be chosen to collide", async () => {
  await using test = await openTestState();
  const { idempotency } = test.state;
  for (const [keyId, idempotencyKey] of [["a", 'b","c'], ['a","b', "c"], ["a,b", "c"], ["a", "b,c"]]) {
    assert.deepEqual(await idempotency.claim({ keyId, idempotencyKey, fingerprint: "f" }), { kind: "new" });
  }
});

Deno.test("an answer is forgotten after 24 hours, and its row dropped", async () => {
  await using test = await openTestState();
  await test.state.idempotency.claim({ ...ID, fingerprint: "f" });
  await test.state.idempotency.complete({ ...ID, ...ANSWER });
  await test.state.close();
  tamper(
    test.dataDir,
    (database) => database.exec("UPDATE idempotency_answers SET created_at = created_at - 86400000"),
  );
  const state = await test.reopen();
  assert.deepEqual(await state.idempotency.claim({ ...ID, fingerprint: "g" }), { kind: "new" });
  const other = { ...ID, idempotencyKey: "other" };
  await state.idempotency.claim({ ...other, fingerprint: "f" });
  await state.idempotency.complete({ ...other, ...ANSWER });
  tamper(test.dataDir, (database) => {
    const rows = database.prepare("SELECT idempotency_key AS name FROM idempotency_answers").all();
    assert.deepEqual(rows.map(({ name }) => name), ["other"]);
  });
});

Deno.test("an answer that could not be stored leaves the claim held", async () => {
  await using test = await openTestState();
  const { idempotency } = test.state;
  await idempotency.claim({ ...ID, fingerprint: "f" });
  await test.threads[0].terminate();
  await assert.rejects(idempotency.complete({ ...ID, ...ANSWER }), { kind: "unavailable" });
  assert.deepEqual(await idempotency.claim({ ...ID, fingerprint: "f" }), { kind: "running" });
  await idempotency.release(ID);
  assert.deepEqual(await idempotency.claim({ ...ID, fingerprint: "f" }), { kind: "new" });
});
