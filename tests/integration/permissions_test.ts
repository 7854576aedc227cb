/** preservePermissions, and trees that their owner made hard to write. */
import assert from "node:assert/strict";
import { assertSameTree } from "../harness/compare.ts";
import { shell } from "../harness/command.ts";
import { sharedServer } from "../harness/suite.ts";
import { makePair, sync } from "../harness/sync.ts";
import { withoutRootsPowers } from "./ordinary_user.ts";

const server = sharedServer();
const mode = async (path: string) => ((await Deno.lstat(path)).mode ?? 0) & 0o7777;

Deno.test("permissions are kept by default, the special bits too", async () => {
  const pair = await makePair(server());
  await shell(
    `for m in 0644 0600 0400 0777 4755 2755 6711 0444 1644; do : >"f$m"; chmod $m "f$m"; done
    for m in 0755 0700 1777 2775 0555; do mkdir "d$m"; chmod $m "d$m"; done`,
    [],
    { cwd: pair.source },
  );
  await sync(server(), pair, { preservePermissions: true });
  await assertSameTree(pair.source, pair.target);
});

Deno.test("a set-user-id bit survives an update of the content", async () => {
  const pair = await makePair(server());
  await shell("printf 1 >tool; chmod 4755 tool", [], { cwd: pair.source });
  await sync(server(), pair);
  await shell("printf 22 >tool; chmod 4755 tool", [], { cwd: pair.source });
  await sync(server(), pair);
  await assertSameTree(pair.source, pair.target);
});

Deno.test("preservePermissions false neither brings modes over nor touches those of the target", async () => {
  const pair = await makePair(server());
  await shell("printf 1 >setuid; chmod 4777 setuid; printf 2 >kept; chmod 666 kept; mkdir dir; chmod 1777 dir", [], {
    cwd: pair.source,
  });
  await shell("printf old >kept; chmod 640 kept", [], { cwd: pair.target });
  await sync(server(), pair, { preservePermissions: false });
  await assertSameTree(pair.source, pair.target, { modes: false });
  assert.equal(await mode(`${pair.target}/setuid`) & 0o7000, 0);
  assert.equal(await mode(`${pair.target}/kept`), 0o640);
  assert.equal(await mode(`${pair.target}/dir`) & 0o7000, 0);
  await shell("chmod 600 setuid kept; chmod 700 dir", [], { cwd: pair.source });
  assert.equal((await sync(server(), pair, { preservePermissions: false })).changesApplied, 0);
});

Deno.test("directories that their owner may not write are copied and updated all the same", async () => {
  await withoutRootsPowers(async (limited) => {
    const pair = await makePair(limited);
    await shell(
      "mkdir -p ro/deep; printf 1 >ro/file; printf 2 >ro/deep/file; ln -s file ro/link; chmod 555 ro/deep ro",
      [],
      {
        cwd: pair.source,
      },
    );
    await sync(limited, pair);
    await assertSameTree(pair.source, pair.target);
    await shell(
      "chmod 755 ro ro/deep; printf 11 >ro/file; rm ro/deep/file; printf n >ro/new; chmod 555 ro/deep ro",
      [],
      {
        cwd: pair.source,
      },
    );
    await sync(limited, pair, { deleteMissingInTarget: true });
    await assertSameTree(pair.source, pair.target);
  });
});
