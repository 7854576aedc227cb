/** A trash on another file system, where nothing can be linked into. */
import assert from "node:assert/strict";
import { assertSameTree, snapshot } from "../harness/compare.ts";
import { command, commandText, shell } from "../harness/command.ts";
import { sharedServer } from "../harness/suite.ts";
import { makePair, sync } from "../harness/sync.ts";
import { CANNOT_MOUNT, mountTmpfs } from "./tmpfs.ts";

const server = sharedServer();

Deno.test({
  name: "a trash on another file system keeps files, links and special files with their metadata",
  ignore: CANNOT_MOUNT,
  async fn() {
    const pair = await makePair(server());
    const trashDirectory = `${server().root}/elsewhere`;
    await Deno.mkdir(trashDirectory);
    await using _mounted = await mountTmpfs(trashDirectory, "16m");
    await shell(
      `printf old >file; chmod 640 file; touch -d 2001-01-01T00:00:00.123456789Z file; printf gone >gone
       mkdir -p d/e; printf deep >d/e/deep; ln -s nowhere d/link; printf a >over`,
      [],
      { cwd: pair.source },
    );
    await sync(server(), pair);
    await shell(
      "mkfifo -m 620 pipe d/pipe; mknod -m 604 null c 1 3; touch -d 2002-02-02 pipe; mkfifo e; rm over; mkdir -p over/x; printf b >over/x/y",
      [],
      { cwd: pair.target },
    );
    using _socket = Deno.listen({ transport: "unix", path: `${pair.target}/socket` });
    const before = await snapshot(pair.target);
    await shell("printf newer >file; rm -r gone d; printf new >e", [], { cwd: pair.source });
    await sync(server(), pair, { trashDirectory, deleteMissingInTarget: true });
    await assertSameTree(pair.source, pair.target);

    const [run] = [...Deno.readDirSync(trashDirectory)];
    const kept = await snapshot(`${trashDirectory}/${run.name}`);
    const names = ["d/e/deep", "d/link", "d/pipe", "e", "file", "gone", "null", "over/x/y", "pipe", "socket"];
    for (const name of names) {
      const [was, is] = [before.get(name), kept.get(name)];
      assert.ok(was !== undefined && is !== undefined, name);
      assert.deepEqual({ ...is, inode: "" }, { ...was, inode: "" }, name);
    }
    assert.equal((await commandText("stat", ["-c", "%t:%T", `${trashDirectory}/${run.name}/null`])).trim(), "1:3");
    await command("rm", ["-rf", `${trashDirectory}/${run.name}`]);
  },
});
