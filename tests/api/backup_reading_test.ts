/** Versions are browsed, read and compared over HTTP, without a restore. */
import assert from "node:assert/strict";
import { type BackupPlaces, createBackup, makeBackupPlaces, ok, query, restore } from "../harness/backup.ts";
import { command, commandText, shell } from "../harness/command.ts";
import { assertSameTree } from "../harness/compare.ts";
import { createRandom } from "../harness/random.ts";
import type { Json } from "../harness/server.ts";
import { sharedServer } from "../harness/suite.ts";
import { assertError } from "../harness/sync.ts";

const server = sharedServer();

function urlOf(at: BackupPlaces, versionId: string, what: string, parameters: Record<string, string> = {}): string {
  return `/backup/versions/${versionId}/${what}?${query({ backupPath: at.backupPath, ...parameters })}`;
}

async function get(at: BackupPlaces, versionId: string, what: string, parameters: Record<string, string> = {}) {
  return ok(await server().request("GET", urlOf(at, versionId, what, parameters)));
}

/** The answer with its bytes; the harness's `request` reads text. */
async function download(path: string, headers: Record<string, string> = {}, method = "GET") {
  const init = { method, headers: { authorization: `Bearer ${server().token}`, ...headers } };
  const response = await server().fetch(path, init);
  return { status: response.status, headers: response.headers, bytes: new Uint8Array(await response.arrayBuffer()) };
}

Deno.test("files shows directories page by page, files and links", async () => {
  const at = await makeBackupPlaces(server());
  await Deno.mkdir(`${at.source}/sub`);
  for (const name of ["c", "a", "b"]) await Deno.writeTextFile(`${at.source}/sub/${name}`, name);
  await Deno.symlink("sub/a", `${at.source}/link`);
  const { versionId } = await createBackup(server(), at);
  const root = await get(at, versionId, "files");
  assert.deepEqual([root.versionId, root.entry.type, root.nextCursor], [versionId, "directory", null]);
  const shown = root.entries.map(({ name, path, type, target }: Json) => [name, path, type, target]);
  assert.deepEqual(shown, [["link", "link", "symlink", "sub/a"], ["sub", "sub", "directory", undefined]]);
  const first = await get(at, versionId, "files", { path: "/sub/", limit: "2" });
  assert.deepEqual(first.entries.map(({ path }: Json) => path), ["sub/a", "sub/b"]);
  const rest = await get(at, versionId, "files", { path: "sub", limit: "2", cursor: first.nextCursor });
  assert.deepEqual([rest.entries.map(({ path }: Json) => path), rest.nextCursor], [["sub/c"], null]);
  const file = await get(at, versionId, "files", { path: "sub/a" });
  assert.deepEqual([file.entry.type, file.entry.size, file.entries], ["file", 1, []]);
  assert.ok(Math.abs(Date.parse(file.entry.modifiedAt) - Date.now()) < 600_000);
  await shell('printf x >"$1/$(printf "bad\\377")"', [at.source]);
  const next = await createBackup(server(), at);
  const [bad] = (await get(at, next.versionId, "files", { limit: "1" })).entries;
  assert.deepEqual([bad.path, bad.size], ["bad\udcff", 1]);
  const answer = await server().request("GET", `${urlOf(at, next.versionId, "content")}&path=bad%FF`);
  assert.deepEqual([answer.status, answer.text], [200, "x"]);
  const restored = await restore(server(), at, next.versionId, { paths: ["bad\udcff"] });
  assert.equal(restored.filesRestored, 1);
  for (const path of ["nothing", "sub/a/below", "link/a"]) {
    assertError(await server().request("GET", urlOf(at, versionId, "files", { path })), 404, "NOT_FOUND");
  }
});

Deno.test("content is a file's very bytes: whole, in ranges, by its tag", async () => {
  const at = await makeBackupPlaces(server());
  const bytes = createRandom(1).bytes(3_000_000);
  await Deno.writeFile(`${at.source}/big.bin`, bytes);
  await Deno.writeFile(`${at.source}/empty`, new Uint8Array());
  const { versionId } = await createBackup(server(), at);
  const path = urlOf(at, versionId, "content", { path: "big.bin" });
  const whole = await download(path);
  assert.equal(whole.status, 200);
  assert.deepEqual(whole.bytes, bytes);
  assert.equal(whole.headers.get("content-length"), "3000000");
  const etag = whole.headers.get("etag") ?? "";
  assert.match(etag, /^"[^"]+"$/);
  for (const [range, from, to] of [["0-0", 0, 1], ["999999-2000000", 999_999, 2_000_001], ["-5", 2_999_995, 3e6]]) {
    const part = await download(path, { range: `bytes=${range}`, "if-range": etag });
    assert.equal(part.status, 206);
    assert.deepEqual(part.bytes, bytes.subarray(Number(from), Number(to)));
    assert.equal(part.headers.get("content-range"), `bytes ${from}-${Number(to) - 1}/3000000`);
  }
  const stale = await download(path, { range: "bytes=0-0", "if-range": '"of another version"' });
  assert.deepEqual([stale.status, stale.bytes.length], [200, 3_000_000]);
  const known = await download(path, { "if-none-match": etag });
  assert.deepEqual([known.status, known.bytes.length], [304, 0]);
  const beyond = await server().request("GET", path, undefined, { headers: { range: "bytes=3000000-" } });
  assertError(beyond, 416, "INVALID_REQUEST");
  assert.equal(beyond.headers.get("content-range"), "bytes */3000000");
  const head = await download(path, {}, "HEAD");
  assert.deepEqual([head.status, head.headers.get("content-length"), head.headers.get("etag")], [200, "3000000", etag]);
  const empty = await download(urlOf(at, versionId, "content", { path: "empty" }));
  assert.deepEqual([empty.status, empty.bytes.length, empty.headers.get("content-length")], [200, 0, "0"]);

  // The tag belongs to the bytes: a later version has the same one, until they change.
  const next = await createBackup(server(), at);
  const same = await download(urlOf(at, next.versionId, "content", { path: "big.bin" }), { "if-none-match": etag });
  assert.equal(same.status, 304);
  bytes[2_500_000] ^= 1;
  await Deno.writeFile(`${at.source}/big.bin`, bytes);
  const { versionId: changed } = await createBackup(server(), at);
  const other = await download(urlOf(at, changed, "content", { path: "big.bin" }), { "if-none-match": etag });
  assert.equal(other.status, 200);
  assert.deepEqual(other.bytes, bytes);
  assertError(await server().request("GET", urlOf(at, changed, "content", { path: "no" })), 404, "NOT_FOUND");
});

Deno.test("content of a directory is a tar archive that GNU tar unpacks into the same tree", async () => {
  const at = await makeBackupPlaces(server());
  await Deno.mkdir(`${at.source}/dir/empty`, { recursive: true });
  await Deno.writeTextFile(`${at.source}/dir/${"long name ".repeat(20)}`, "one");
  await Deno.writeFile(`${at.source}/dir/big`, createRandom(2).bytes(2_000_000));
  await Deno.link(`${at.source}/dir/big`, `${at.source}/dir/hard`);
  await Deno.symlink("big", `${at.source}/dir/soft`);
  await Deno.chmod(`${at.source}/dir/big`, 0o640);
  const { versionId } = await createBackup(server(), at);
  const answer = await download(urlOf(at, versionId, "content", { path: "dir" }));
  assert.deepEqual([answer.status, answer.headers.get("content-type")], [200, "application/x-tar"]);
  assert.match(answer.headers.get("content-disposition") ?? "", /filename="dir\.tar"/);
  await Deno.mkdir(at.restorePath);
  await command("tar", ["-xpf", "-"], { cwd: at.restorePath, stdin: answer.bytes });
  const listed = (await commandText("ls", ["-A", at.restorePath])).trim();
  await assertSameTree(`${at.source}/dir`, listed === "dir" ? `${at.restorePath}/dir` : at.restorePath);
});

Deno.test("a client that goes away in the middle of a download leaves nothing open", async () => {
  const at = await makeBackupPlaces(server());
  await Deno.writeFile(`${at.source}/big`, createRandom(3).bytes(40_000_000));
  const { versionId } = await createBackup(server(), at);
  for (const what of [{ path: "big" }, {}]) {
    const response = await server().fetch(urlOf(at, versionId, "content", what as Record<string, string>), {
      headers: { authorization: `Bearer ${server().token}` },
    });
    const reader = response.body!.getReader();
    assert.ok((await reader.read()).value!.length > 0);
    await reader.cancel();
  }
  // A prune needs the repository to itself, so it shows that no download still holds it.
  let pruned = await server().request("POST", `/backup/prune?${query({ backupPath: at.backupPath, keepLast: "1" })}`);
  for (let tries = 0; tries < 200 && pruned.status === 409; tries++) {
    pruned = await server().request("POST", `/backup/prune?${query({ backupPath: at.backupPath, keepLast: "1" })}`);
  }
  ok(pruned);
});

Deno.test("changes and diff say what became of every path", async () => {
  const at = await makeBackupPlaces(server());
  await Deno.writeTextFile(`${at.source}/stays`, "same");
  await Deno.writeTextFile(`${at.source}/edited`, "before");
  await Deno.writeTextFile(`${at.source}/goes`, "gone");
  const first = await createBackup(server(), at);
  await Deno.writeTextFile(`${at.source}/edited`, "after");
  await Deno.remove(`${at.source}/goes`);
  await Deno.writeTextFile(`${at.source}/comes`, "new");
  const second = await createBackup(server(), at);
  const changes = await get(at, second.versionId, "changes");
  const sorted = changes.changes.map(({ change, path }: Json) => `${change} ${path}`).sort();
  assert.deepEqual(sorted, ["added comes", "modified edited", "removed goes"]);
  assert.equal(changes.totalCount, 3);
  const diff = await get(at, first.versionId, `diff/${second.versionId}`);
  const files = diff.differences.filter(({ type }: Json) => type === "file");
  assert.deepEqual(
    files.map(({ change, path, sizeBefore, sizeAfter }: Json) => [change, path, sizeBefore, sizeAfter]),
    [["added", "comes", null, 3], ["modified", "edited", 6, 5], ["removed", "goes", 4, null]],
  );
  const back = await get(at, second.versionId, `diff/${first.versionId}`);
  assert.equal(back.differences.find(({ path }: Json) => path === "goes").change, "added");
  const missing = await server().request("GET", urlOf(at, first.versionId, `diff/${crypto.randomUUID()}`));
  assertError(missing, 404, "NOT_FOUND");
});
