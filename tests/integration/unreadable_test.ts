/** What cannot be read or written is named; everything else is done; nothing is deleted on a guess. */
import assert from "node:assert/strict";
import { assertSameTree } from "../harness/compare.ts";
import { shell } from "../harness/command.ts";
import { assertNames, makePair, sync, syncPartly } from "../harness/sync.ts";
import { withoutRootsPowers } from "./ordinary_user.ts";

Deno.test("an unreadable file is named, the rest is done, and the target's old version stays", async () => {
  await withoutRootsPowers(async (server) => {
    const pair = await makePair(server);
    await shell("mkdir d; printf old >d/closed; printf 1 >open", [], { cwd: pair.source });
    await sync(server, pair);
    await shell("printf newer >d/closed; printf 22 >open; printf 3 >new; chmod 000 d/closed", [], { cwd: pair.source });
    const body = await syncPartly(server, pair);
    assertNames(body, "d/closed");
    assert.equal(body.errors.length, 1, JSON.stringify(body.errors));
    assert.equal(await Deno.readTextFile(`${pair.target}/d/closed`), "old");
    await assertSameTree(pair.source, pair.target, { ignore: (path) => path === "d/closed" });
    await shell("chmod 644 d/closed", [], { cwd: pair.source });
    await sync(server, pair);
    await assertSameTree(pair.source, pair.target);
  });
});

Deno.test("after an unreadable directory nothing is deleted, there or elsewhere", async () => {
  await withoutRootsPowers(async (server) => {
    const pair = await makePair(server);
    await shell("mkdir closed other; printf 1 >closed/a; printf 2 >other/b; printf 3 >c", [], { cwd: pair.source });
    await sync(server, pair);
    await shell("rm other/b c; printf n >new; chmod 000 closed", [], { cwd: pair.source });
    const fields = { deleteMissingInTarget: true };
    const body = await syncPartly(server, pair, fields);
    assertNames(body, "closed");
    for (const [path, content] of [["closed/a", "1"], ["other/b", "2"], ["c", "3"], ["new", "n"]]) {
      assert.equal(await Deno.readTextFile(`${pair.target}/${path}`), content);
    }
    await shell("chmod 755 closed", [], { cwd: pair.source });
    await sync(server, pair, fields);
    await assertSameTree(pair.source, pair.target);
  });
});

Deno.test("a hundred unreadable files among others are each named once", async () => {
  await withoutRootsPowers(async (server) => {
    const pair = await makePair(server);
    await shell("for i in $(seq 100); do printf x >open$i; : >closed$i; done; chmod 000 closed*", [], {
      cwd: pair.source,
    });
    const { errors } = await syncPartly(server, pair);
    assert.equal(errors.length, 100);
    assert.equal(new Set(errors).size, 100);
    await assertSameTree(pair.source, pair.target, { ignore: (path) => path.startsWith("closed") });
  });
});

async function notWritable(): Promise<void> {
  await withoutRootsPowers(async (server) => {
    const pair = await makePair(server);
    await shell("mkdir locked free; printf 1 >locked/a; printf 2 >free/b", [], { cwd: pair.source });
    await sync(server, pair);
    await shell("printf 11 >locked/a; printf 22 >free/b", [], { cwd: pair.source });
    await shell("chown 65534 locked; chmod 555 locked", [], { cwd: pair.target });
    const body = await syncPartly(server, pair);
    assert.ok(body.errors.every((error: string) => error.startsWith("locked")), JSON.stringify(body.errors));
    assert.equal(await Deno.readTextFile(`${pair.target}/locked/a`), "1");
    assert.equal(await Deno.readTextFile(`${pair.target}/free/b`), "22");
    const names = await Array.fromAsync(Deno.readDir(`${pair.target}/locked`), ({ name }) => name);
    assert.deepEqual(names, ["a"], "a temporary file was left");
  });
}

Deno.test({
  name: "a target directory that belongs to someone else and cannot be written is named (root gives it away)",
  ignore: Deno.uid() !== 0,
  fn: notWritable,
});

Deno.test("a source that cannot be opened at all is an error answer, and the target stays", async () => {
  await withoutRootsPowers(async (server) => {
    const pair = await makePair(server);
    await shell("printf 1 >file", [], { cwd: pair.source });
    await sync(server, pair);
    await shell("chmod 000 .", [], { cwd: pair.source });
    const answer = await server.request("POST", "/sync/files", {
      sourceDirectory: pair.source,
      targetDirectory: pair.target,
      deleteMissingInTarget: true,
      maxDelete: 1_000,
    });
    assert.ok(answer.status >= 400 || answer.body.success === false, answer.text);
    assert.equal(await Deno.readTextFile(`${pair.target}/file`), "1");
  });
});

Deno.test("directories above the source, the target and the trash need only be passed through", async () => {
  await withoutRootsPowers(async (server) => {
    const pair = await makePair(server);
    const base = pair.source.replace(/\/source$/, "");
    await shell(
      "mkdir -p a/source b/target c/trash b/new; printf old >a/source/file; chmod 711 a/source; chmod 111 a c; chmod 311 b",
      [],
      { cwd: base },
    );
    try {
      const fields = { trashDirectory: `${base}/c/trash`, deleteMissingInTarget: true };
      for (const target of [`${base}/b/target`, `${base}/b/made/here`]) {
        const passed = { source: `${base}/a/source`, target };
        await Deno.writeTextFile(`${passed.source}/file`, "old");
        await sync(server, passed, fields);
        await Deno.writeTextFile(`${passed.source}/file`, "newer");
        await sync(server, passed, fields);
        await assertSameTree(passed.source, passed.target);
      }
    } finally {
      await shell("chmod -R u+rwx .", [], { cwd: base });
    }
  });
});
