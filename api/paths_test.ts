import assert from "node:assert/strict";
import { ApiError } from "./errors.ts";
import { PathGuard } from "./paths.ts";

interface Place extends AsyncDisposable {
  home: string;
  guard: PathGuard;
}

/** `root` (also reached by the link `named`, which is what is configured), `outside`, and `root/data`. */
async function makePlace(): Promise<Place> {
  const home = await Deno.realPath(await Deno.makeTempDir({ prefix: "syncline-paths-" }));
  await Deno.mkdir(`${home}/root/data`, { recursive: true });
  await Deno.mkdir(`${home}/root/dir`);
  await Deno.mkdir(`${home}/outside`);
  await Deno.writeTextFile(`${home}/root/file`, "");
  await Deno.writeTextFile(`${home}/outside/file`, "");
  await Deno.symlink(`${home}/root`, `${home}/named`);
  const links: [string, string][] = [
    [`${home}/root/dir`, "to-dir"],
    [`${home}/outside`, "to-outside"],
    [`${home}/outside/new`, "dangling-outside"],
    ["dir/new", "dangling-inside"],
    ["loop", "loop"],
    ["data", "to-data"],
  ];
  for (const [to, name] of links) await Deno.symlink(to, `${home}/root/${name}`);
  return {
    home,
    guard: await PathGuard.open([`${home}/named/`], `${home}/root/data`),
    [Symbol.asyncDispose]: () => Deno.remove(home, { recursive: true }),
  };
}

Deno.test("paths under a root come back resolved, whether they exist or not", async () => {
  await using place = await makePlace();
  const { home, guard } = place;
  const cases: [string, string][] = [
    ["root", "root"],
    ["root/", "root"],
    ["named/dir", "root/dir"],
    ["root//dir/./x/../y", "root/dir/y"],
    ["root/to-dir/a/b", "root/dir/a/b"],
    ["outside/../root/dir", "root/dir"],
    ["root/database", "root/database"],
  ];
  for (const [path, resolved] of cases) {
    assert.equal(await guard.resolve("field", `${home}/${path}`), `${home}/${resolved}`, path);
  }
});

Deno.test("whatever lies outside, by its name or through a link, is 403 and tells nothing of what is there", async () => {
  await using place = await makePlace();
  const { home, guard } = place;
  const paths = [
    "/",
    `${home}/outside`,
    `${home}/root-other`,
    `${home}/root/../outside`,
    `${home}/outside/file/below`,
    `${home}/outside/${"x".repeat(300)}`,
    `${home}/root/to-outside`,
    `${home}/root/to-outside/new/er`,
    `${home}/root/dangling-outside`,
    `${home}/root/dangling-outside/x`,
  ];
  for (const path of paths) {
    await assert.rejects(guard.resolve("field", path), (error) => {
      assert.ok(error instanceof ApiError);
      assert.deepEqual([error.status, error.errorCode], [403, "FORBIDDEN"], path);
      assert.equal(
        error.details,
        `field: ${path} is outside the directories that SYNCLINE_ROOTS allows (${home}/root).`,
      );
      return true;
    });
  }
});

Deno.test("the data directory is 403 by any name; a directory around it is allowed", async () => {
  await using place = await makePlace();
  const { home, guard } = place;
  for (const path of ["root/data", "root/data/x", "root/to-data", "named/to-data/x/y", "root/dir/../data"]) {
    await assert.rejects(guard.resolve("field", `${home}/${path}`), { status: 403, details: /data directory/ });
  }
  assert.equal(await guard.resolve("field", `${home}/root`), `${home}/root`);
});

Deno.test("paths under a root that lead nowhere are 400", async () => {
  await using place = await makePlace();
  const { home, guard } = place;
  const cases: [string, RegExp][] = [
    ["root/dangling-inside", /symbolic link to something that does not exist/],
    ["root/dangling-inside/x", /symbolic link/],
    ["root/loop", /symbolic links/],
    ["root/file/below", /not a directory/],
    [`root/${"x".repeat(300)}`, /too long/],
  ];
  for (const [path, details] of cases) {
    await assert.rejects(guard.resolve("field", `${home}/${path}`), { status: 400, details });
  }
});

Deno.test("a root that is missing or a file stops the start", async () => {
  await using place = await makePlace();
  const { home } = place;
  for (const root of [`${home}/missing`, `${home}/root/file`]) {
    await assert.rejects(PathGuard.open([root], `${home}/root/data`), {
      name: "ConfigError",
      message: /^SYNCLINE_ROOTS names /,
    });
  }
});
