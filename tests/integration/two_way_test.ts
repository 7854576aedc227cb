/** `direction: "two-way"` over HTTP, with the real server killed at random moments. */
import assert from "node:assert/strict";
import { createRandom, testSeed } from "../harness/random.ts";
import { makeSandbox } from "../harness/sandbox.ts";
import { killDuring, type Server, startServer } from "../harness/server.ts";

function request(server: Server, fields: object = {}, options = {}) {
  const body = {
    sourceDirectory: `${server.root}/a`,
    targetDirectory: `${server.root}/b`,
    direction: "two-way",
    ...fields,
  };
  return server.request("POST", "/sync/files", body, options);
}

async function names(directory: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir(directory)) if (name !== ".syncline-trash") found.push(name);
  return found.sort();
}

Deno.test("both sides get what the other has; a conflict is answered, and the loser is in the trash", async () => {
  await using server = await startServer();
  const [a, b] = [`${server.root}/a`, `${server.root}/b`];
  await Deno.mkdir(a);
  await Deno.mkdir(b);
  await Deno.writeTextFile(`${a}/left`, "1");
  await Deno.writeTextFile(`${b}/right`, "2");
  const planned = await request(server, { dryRun: true });
  assert.deepEqual(planned.body.plan.map(({ path, side }: Record<string, string>) => [path, side]), [
    ["left", "target"],
    ["right", "source"],
  ]);
  const first = await request(server);
  assert.deepEqual([first.status, first.body.success, first.body.changesApplied], [200, true, 2], first.text);
  assert.deepEqual([await names(a), await names(b)], [["left", "right"], ["left", "right"]]);

  await Deno.writeTextFile(`${a}/left`, "changed here");
  await Deno.writeTextFile(`${b}/left`, "changed there");
  const second = await request(server, { conflictStrategy: "TargetWins" });
  assert.deepEqual(second.body.conflicts, [{ path: "left", kind: "modified", resolution: "target" }]);
  assert.equal(await Deno.readTextFile(`${a}/left`), "changed there");
  const [folder] = await Array.fromAsync(Deno.readDir(`${a}/.syncline-trash`));
  assert.equal(await Deno.readTextFile(`${a}/.syncline-trash/${folder.name}/left`), "changed here");
  assert.equal((await request(server)).body.changesApplied, 0);

  await Deno.remove(`${a}/left`);
  await Deno.remove(`${a}/right`);
  const refused = await request(server);
  assert.deepEqual([refused.status, refused.body.errorCode], [409, "CONFLICT"]);
});

Deno.test("a run that is killed is brought to its end by the next, and neither side loses an edit", async () => {
  const random = createRandom(testSeed("two-way kill"));
  await using sandbox = await makeSandbox();
  const [a, b] = [`${sandbox.root}/a`, `${sandbox.root}/b`];
  await Deno.mkdir(a);
  await Deno.mkdir(b);
  const wanted = new Map<string, string>();
  for (let round = 0; round < 8; round++) {
    // Every name belongs to one side at a time, so that there is no conflict and the outcome is known.
    for (let count = 0; count < 300; count++) {
      const name = `file-${random.below(600)}`;
      const side = (Number(name.slice(5)) + round) % 2 === 0 ? a : b;
      const text = `${round} ${count} ${"x".repeat(random.below(3_000))}`;
      await Deno.writeTextFile(`${side}/${name}`, text);
      wanted.set(name, text);
    }
    {
      await using server = await startServer({ sandbox });
      await killDuring(server, request(server), random.below(120));
    }
    await using again = await startServer({ sandbox });
    const { body, text } = await request(again);
    assert.deepEqual([body.success, body.conflicts], [true, []], text.slice(0, 500));
    for (const side of [a, b]) {
      assert.deepEqual(await names(side), [...wanted.keys()].sort());
      for (const [name, text] of wanted) assert.equal(await Deno.readTextFile(`${side}/${name}`), text, name);
    }
  }
});

const LINES = 12;

/** A file whose first lines side `a` edits and whose last lines side `b` does. */
class Shared {
  readonly lines: string[];

  constructor(name: string) {
    this.lines = Array.from({ length: LINES }, (_, index) => `${name} ${index}`);
  }

  get text(): string {
    return this.lines.join("\n") + "\n";
  }

  /** What a side makes of it, from what it was after the last run; the edit counts in what both are to come to. */
  edit(side: "a" | "b", line: number, words: string): string {
    const index = side === "a" ? line : LINES - 1 - line;
    const own = this.lines.with(index, words);
    return own.join("\n") + "\n";
  }
}

Deno.test("Merge over HTTP: what both sides change comes together, whenever the server is killed", async () => {
  const random = createRandom(testSeed("two-way merge kill"));
  await using sandbox = await makeSandbox();
  const [a, b] = [`${sandbox.root}/a`, `${sandbox.root}/b`];
  await Deno.mkdir(a);
  await Deno.mkdir(b);
  const files = new Map(Array.from({ length: 150 }, (_, index) => [`file-${index}`, new Shared(`file-${index}`)]));
  for (const [name, { text }] of files) await Deno.writeTextFile(`${a}/${name}`, text);
  const fields = { conflictStrategy: "Merge" };
  let [merges, within] = [0, 0];
  for (let round = 0; round < 8; round++) {
    {
      await using server = await startServer({ sandbox });
      if (round === 0) {
        const { body } = await request(server, fields);
        assert.deepEqual([body.success, body.changesApplied], [true, files.size]);
        within = body.executionTimeMs;
      }
      for (const [name, file] of files) {
        const [first, last] = [random.below(LINES / 2 - 1), random.below(LINES / 2 - 1)];
        const [left, right] = [`${name} a ${round}`, `${name} b ${round}`];
        await Deno.writeTextFile(`${a}/${name}`, file.edit("a", first, left));
        await Deno.writeTextFile(`${b}/${name}`, file.edit("b", last, right));
        file.lines[first] = left;
        file.lines[LINES - 1 - last] = right;
      }
      await killDuring(server, request(server, fields), random.below(within));
    }
    await using again = await startServer({ sandbox });
    const { body, text } = await request(again, fields);
    assert.equal(body.success, true, text.slice(0, 500));
    const others = body.conflicts.filter(({ resolution }: Record<string, string>) => resolution !== "merged");
    assert.deepEqual(others, []);
    merges += body.conflicts.length;
    // Kills that come before or after all merges tell less.
    within = Math.ceil(within * (body.conflicts.length === files.size ? 1.4 : body.conflicts.length === 0 ? 0.7 : 1));
    for (const side of [a, b]) {
      assert.deepEqual(await names(side), [...files.keys()].sort());
      for (const [name, { text }] of files) assert.equal(await Deno.readTextFile(`${side}/${name}`), text, name);
    }
    await again.stop();
  }
  assert.ok(merges > 0, "no run was killed before its merges: the test proves little");
});
