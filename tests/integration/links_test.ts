/** Symbolic links as links, hard links as hard links, and nothing written through either. */
import assert from "node:assert/strict";
import { assertSameTree, snapshot } from "../harness/compare.ts";
import { shell } from "../harness/command.ts";
import { sharedServer } from "../harness/suite.ts";
import { makePair, sync } from "../harness/sync.ts";

const server = sharedServer();
const everything = { deleteMissingInTarget: true };

async function outsideWith(script: string): Promise<string> {
  const outside = `${server().outside}/${crypto.randomUUID()}`;
  await Deno.mkdir(outside);
  await shell(script, [], { cwd: outside });
  return outside;
}

Deno.test("links of every kind are kept as links, and retargeted", async () => {
  const pair = await makePair(server());
  const outside = await outsideWith("printf secret >secret");
  await shell(
    `mkdir d; printf x >d/x
    ln -s d dirlink; ln -s d/x filelink; ln -s missing dangling; ln -s . dot; ln -s .. up; ln -s loop2 loop1; ln -s loop1 loop2
    ln -s self self; ln -s "$1" outside; ln -s "$1/secret" outside-file; ln -s / slash; ln -s 'a
b' newline; ln -s "$(printf %1000s | tr ' ' x)" long
    touch -h -d '2003-03-03 03:03:03.000000003' dangling dirlink`,
    [outside],
    { cwd: pair.source },
  );
  await sync(server(), pair, everything);
  await assertSameTree(pair.source, pair.target);
  await shell("ln -sfn elsewhere dangling; ln -sfn d/x dirlink; rm loop1", [], { cwd: pair.source });
  await sync(server(), pair, everything);
  await assertSameTree(pair.source, pair.target);
  assert.equal((await sync(server(), pair, everything)).changesApplied, 0);
});

Deno.test("the target's links are replaced, never written or deleted through", async () => {
  const pair = await makePair(server());
  const outside = await outsideWith("mkdir sub; printf mine >file; printf mine >sub/inner; printf mine >sub/extra");
  await shell("printf source >file; mkdir sub; printf source >sub/inner; mkdir new; printf source >new/file", [], {
    cwd: pair.source,
  });
  await shell('ln -s "$1/file" file; ln -s "$1/sub" sub; ln -s "$1" new; ln -s "$1" extra', [outside], {
    cwd: pair.target,
  });
  const before = await snapshot(outside);
  await sync(server(), pair, everything);
  await assertSameTree(pair.source, pair.target);
  assert.deepEqual(await snapshot(outside), before);
});

Deno.test("hard links are kept, joined, broken and made again between runs", async () => {
  const pair = await makePair(server());
  const steps = [
    "printf 1 >a; ln a b; mkdir d; ln a d/c; printf 22 >x; ln x y",
    "rm b; cp -p a b",
    "rm b; ln a b; rm y; ln a y",
    "printf changed >a",
    "ln d/c z; rm a",
    "mv z d/a; rm d/c b; ln y q",
    "rm y; ln x y; ln x y2; ln x y3",
    "printf other >n; mv n x; chmod 600 y2; touch -d 2001-01-01 y3",
  ];
  for (const step of steps) {
    await shell(step, [], { cwd: pair.source });
    await sync(server(), pair, everything);
    await assertSameTree(pair.source, pair.target).catch((error) => {
      throw new Error(`After: ${step}`, { cause: error });
    });
    assert.equal((await sync(server(), pair, everything)).changesApplied, 0, step);
  }
});

Deno.test("an update never writes into a file that shares its inode with one outside the target", async () => {
  const pair = await makePair(server());
  await shell("printf first >a; printf grow >b", [], { cwd: pair.source });
  await sync(server(), pair);
  // As a snapshot by `cp -al` keeps an older state.
  const outside = await outsideWith("true");
  await shell('ln a "$1/a"; ln b "$1/b"', [outside], { cwd: pair.target });
  await shell("printf second >a; printf ing >>b", [], { cwd: pair.source });
  await sync(server(), pair);
  await assertSameTree(pair.source, pair.target);
  assert.equal(await Deno.readTextFile(`${outside}/a`), "first");
  assert.equal(await Deno.readTextFile(`${outside}/b`), "grow");
});

Deno.test("names that are linked in the target but not in the source become files of their own", async () => {
  const pair = await makePair(server());
  await shell("printf same >a; cp -p a b; printf x >c; printf y >d", [], { cwd: pair.source });
  await shell('cp -p "$1/a" a; ln a b; ln a c; ln a d', [pair.source], { cwd: pair.target });
  await sync(server(), pair, everything);
  await assertSameTree(pair.source, pair.target);
});

Deno.test("a hard link whose other names are excluded or outside is a file like any other", async () => {
  const pair = await makePair(server());
  const outside = await outsideWith("printf shared >shared");
  await shell('ln "$1/shared" one; printf 2 >two; ln two two.tmp', [outside], { cwd: pair.source });
  await sync(server(), pair, { ...everything, excludePatterns: ["*.tmp"] });
  await assertSameTree(pair.source, pair.target, { ignore: (path) => path.endsWith(".tmp") });
});

Deno.test("a thousand names of one file", async () => {
  const pair = await makePair(server());
  await shell('printf shared >0; mkdir d; for i in $(seq 1 999); do echo "d/$i"; done | xargs -n1 ln 0', [], {
    cwd: pair.source,
  });
  await sync(server(), pair, everything);
  await assertSameTree(pair.source, pair.target);
  await shell("printf changed >0", [], { cwd: pair.source });
  await sync(server(), pair, everything);
  await assertSameTree(pair.source, pair.target);
});
