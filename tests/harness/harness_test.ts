/** The tests' own tools: a comparison that misses a difference would prove nothing. */
import assert from "node:assert/strict";
import { command, shell } from "./command.ts";
import { assertSameTree, differences } from "./compare.ts";
import { createRandom, testSeed } from "./random.ts";
import { RandomTree } from "./random_tree.ts";
import { makeSandbox } from "./sandbox.ts";

Deno.test("the same seed makes the same tree, and cp -a of it compares equal", async () => {
  await using box = await makeSandbox();
  const seed = testSeed("harness");
  for (const name of ["a", "b"]) {
    await Deno.mkdir(`${box.root}/${name}`);
    const tree = new RandomTree(`${box.root}/${name}`, createRandom(seed), { invalidUtf8: true });
    tree.grow(200);
    tree.mutate(200);
  }
  // Times that nothing sets are those of the making, and so differ.
  await assertSameTree(`${box.root}/a`, `${box.root}/b`, { times: false });
  await command("cp", ["-a", `${box.root}/a`, `${box.root}/copy`]);
  await assertSameTree(`${box.root}/a`, `${box.root}/copy`);
});

const CHANGES: [string, string, RegExp][] = [
  ["content", "printf x | dd of=file conv=notrunc status=none; touch -r other file", /"file" content/],
  ["size", "printf x >>file; touch -r other file", /"file" (size|content)/],
  ["one nanosecond", "touch -d '2001-02-03 04:05:06.123456790' file", /"file" mtime/],
  ["a directory's time", "touch -d 2001-01-01 directory", /"directory" mtime/],
  ["a link's own time", "touch -h -d 2001-01-01 link", /"link" mtime/],
  ["mode", "chmod 751 file", /"file" mode/],
  ["a link's target", "ln -sfn elsewhere link", /"link" link/],
  ["a broken hard link", "cp -p hard copy; mv copy hard", /"(hard|other)" hard links/],
  ["an extra entry", "mkfifo pipe", /"pipe" is only in the target/],
  ["a missing entry", "rm link", /"link" is only in the source/],
  ["a type", "rm file; mkdir file", /"file" type/],
];

for (const [what, script, expected] of CHANGES) {
  Deno.test(`the comparison sees ${what}`, async () => {
    await using box = await makeSandbox();
    const [source, target] = [`${box.root}/source`, `${box.root}/target`];
    await Deno.mkdir(source);
    await shell(
      `echo text >file; echo more >other; ln other hard; mkdir directory; ln -s file link
      touch -d '2001-02-03 04:05:06.123456789' file other`,
      [],
      { cwd: source },
    );
    await command("cp", ["-a", source, target]);
    assert.deepEqual(await differences(source, target), []);
    await shell(script, [], { cwd: target });
    assert.match((await differences(source, target)).join("\n"), expected);
  });
}
