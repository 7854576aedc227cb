import assert from "node:assert/strict";
import * as fs from "node:fs";
import { BackupWorld } from "../testing/backup_world.ts";

Deno.test("a directory of a version is listed page by page", async () => {
  using world = await BackupWorld.make({ password: "secret" });
  const names = Array.from({ length: 5000 }, (_, i) => `entry ${i}`).sort();
  for (const name of names) world.write(`source/deep/many/${name}`, "");
  const version = await world.backup();
  const place = { repository: world.location, versionId: version.versionId, path: "deep/many" };
  const found: string[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await world.operations.browse(place, { after, limit: 999 });
    assert.equal(page.entry.type, "directory");
    found.push(...page.entries.map(({ name }) => name));
    if (page.next === null) break;
    after = page.next;
  }
  assert.deepEqual(found, names);
});

Deno.test("entries are shown with what they are", async () => {
  using world = await BackupWorld.make();
  world.write("source/file", "text");
  fs.mkdirSync(`${world.source}/directory`);
  fs.symlinkSync("to here", `${world.source}/link`);
  fs.utimesSync(`${world.source}/file`, 1_600_000_000, 1_600_000_000.25);
  fs.chmodSync(`${world.source}/file`, 0o640);
  const version = await world.backup();
  const place = { repository: world.location, versionId: version.versionId };
  const { entry, entries, next } = await world.operations.browse({ ...place, path: "" }, { limit: 10 });
  assert.deepEqual([entry.name, entry.path, entry.type, next], ["", "", "directory", null]);
  assert.deepEqual(entries.map(({ path, type, size }) => [path, type, size]), [
    ["directory", "directory", 0],
    ["file", "file", 4],
    ["link", "symlink", 0],
  ]);
  assert.equal(entries[2].target, "to here");
  assert.deepEqual([entries[1].mode, entries[1].modifiedAt], [0o640, "2020-09-13T12:26:40.250Z"]);
  const file = await world.operations.browse({ ...place, path: "file" }, { limit: 10 });
  assert.deepEqual([file.entry.path, file.entries], ["file", []]);
  for (const path of ["none", "file/x", "directory/none", "..", "/"]) {
    await assert.rejects(world.operations.browse({ ...place, path }, { limit: 10 }), { kind: "not-found" });
  }
});

Deno.test("the newest version not after a time", async () => {
  using world = await BackupWorld.make();
  const at = ["2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z", "2026-01-03T00:00:00.000Z"];
  const versions = [];
  for (const createdAt of at) versions.push(await world.backup({ version: { createdAt } }));
  const find = (time: string) => world.operations.versionAt(world.location, new Date(time));
  assert.equal((await find("2026-01-02T00:00:00.000Z")).versionId, versions[1].versionId);
  assert.equal((await find("2026-01-02T23:00:00+00:00")).versionId, versions[1].versionId);
  assert.equal((await find("2030-01-01T00:00:00.000Z")).versionId, versions[2].versionId);
  await assert.rejects(find("2025-12-31T23:59:59.999Z"), { kind: "not-found" });
});
