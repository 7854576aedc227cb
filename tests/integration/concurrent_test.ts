/** Two runs that meet: the second waits or is refused, and what is left is right. */
import assert from "node:assert/strict";
import { assertSameTree, differences } from "../harness/compare.ts";
import { filesIn, fillSource, sessionEnd, sessionStatus, startSync } from "../harness/sessions.ts";
import { startServer } from "../harness/server.ts";
import { sharedServer } from "../harness/suite.ts";
import { assertError, makePair, postSync, sync } from "../harness/sync.ts";

const server = sharedServer();
const everything = { deleteMissingInTarget: true };

Deno.test("two sources into one target at once", async () => {
  const [first, second] = [await makePair(server()), await makePair(server())];
  await fillSource(first.source, 40);
  await fillSource(second.source, 30);
  await Deno.writeTextFile(`${second.source}/file-1`, "the second's");
  const sessionId = await startSync(server(), first, { ...everything, bandwidthLimit: 1_000_000 });
  await filesIn(first.target, 2);
  const answer = await postSync(server(), { source: second.source, target: first.target }, {
    ...everything,
    maxDelete: 100,
  });
  const ended = await sessionEnd(server(), sessionId);
  assert.equal(ended.status, "completed", JSON.stringify(ended));
  if (answer.status === 200) {
    assert.equal(answer.body.success, true, answer.text);
    await assertSameTree(second.source, first.target);
  } else {
    assertError(answer, 409, "CONFLICT");
    await assertSameTree(first.source, first.target);
  }
});

Deno.test("a run into a directory inside another run's target", async () => {
  const [outer, inner] = [await makePair(server()), await makePair(server())];
  await Deno.mkdir(`${outer.source}/sub`);
  await fillSource(outer.source, 30);
  await fillSource(`${outer.source}/sub`, 10);
  await fillSource(inner.source, 5);
  const sessionId = await startSync(server(), outer, { ...everything, bandwidthLimit: 1_000_000 });
  await filesIn(outer.target, 2);
  const answer = await postSync(server(), { source: inner.source, target: `${outer.target}/sub` }, everything);
  assert.equal((await sessionEnd(server(), sessionId)).status, "completed");
  if (answer.status === 200) await assertSameTree(inner.source, `${outer.target}/sub`);
  else {
    assertError(answer, 409, "CONFLICT");
    await assertSameTree(outer.source, outer.target);
  }
});

Deno.test("eight equal runs at once end equal, none with a wrong answer", async () => {
  const pair = await makePair(server());
  await fillSource(pair.source, 25);
  const answers = await Promise.all(Array.from({ length: 8 }, () => postSync(server(), pair, everything)));
  assert.ok(answers.some(({ status }) => status === 200));
  for (const answer of answers) {
    if (answer.status === 200) assert.deepEqual([answer.body.success, answer.body.errors], [true, []]);
    else assertError(answer, 409, "CONFLICT");
  }
  assert.deepEqual(await differences(pair.source, pair.target), []);
});

Deno.test("a run that is held back leaves a worker to others", async () => {
  await using two = await startServer({ env: { SYNCLINE_WORKERS: "2" } });
  const [slow, quick] = [await makePair(two), await makePair(two)];
  // Enough for several tasks, and for hours, so that only a worker of its own lets the other run end.
  await fillSource(slow.source, 600);
  await fillSource(quick.source, 5);
  const sessionId = await startSync(two, slow, { bandwidthLimit: 100 });
  await filesIn(slow.target, 1, ".syncline-");
  await sync(two, quick);
  await assertSameTree(quick.source, quick.target);
  assert.equal((await sessionStatus(two, sessionId)).status, "in-progress");
});

Deno.test("runs of one source into several targets at once are independent", async () => {
  const pair = await makePair(server());
  await fillSource(pair.source, 10);
  const targets = Array.from({ length: 6 }, (_, index) => `${pair.target}/${index}`);
  await Promise.all(targets.map((target) => sync(server(), { source: pair.source, target })));
  for (const target of targets) await assertSameTree(pair.source, target);
});
