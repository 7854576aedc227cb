import assert from "node:assert/strict";
import { ID, startBackupApp } from "./backup_testing.ts";
import type { VersionContent } from "../../engine/backup/operations.ts";
import { assertError } from "../testing.ts";

const BYTES = new TextEncoder().encode("0123456789");

function file(onCancel: () => void = () => {}): VersionContent {
  return {
    type: "file",
    name: 'naïve "x".txt',
    size: BYTES.length,
    etag: "abc",
    read: ({ offset, length }) =>
      new ReadableStream({
        start(controller) {
          controller.enqueue(BYTES.subarray(offset, offset + length));
          controller.close();
        },
        cancel: onCancel,
      }),
  };
}

Deno.test("content: whole, in part, not modified, out of range", async () => {
  await using test = await startBackupApp({ content: () => Promise.resolve(file()) });
  const path = `/backup/versions/${ID}/content?${new URLSearchParams({ backupPath: `${test.root}/r`, path: "a" })}`;
  const get = (headers: Record<string, string> = {}) => test.send("GET", path, { headers });
  const whole = await get();
  assert.deepEqual([whole.status, whole.text, whole.headers.get("etag")], [200, "0123456789", '"abc"']);
  assert.equal(whole.headers.get("content-type"), "application/octet-stream");
  assert.equal(whole.headers.get("content-length"), "10");
  assert.equal(whole.headers.get("accept-ranges"), "bytes");
  assert.equal(
    whole.headers.get("content-disposition"),
    `attachment; filename="na_ve _x_.txt"; filename*=UTF-8''na%C3%AFve%20%22x%22.txt`,
  );
  const part = await get({ range: "bytes=2-4" });
  assert.deepEqual([part.status, part.text, part.headers.get("content-range")], [206, "234", "bytes 2-4/10"]);
  assert.equal((await get({ range: "bytes=2-4", "if-range": '"other"' })).text, "0123456789");
  const known = await get({ "if-none-match": '"abc"' });
  assert.deepEqual([known.status, known.text, known.headers.get("etag")], [304, "", '"abc"']);
  const beyond = await get({ range: "bytes=10-" });
  assertError(beyond, 416, "INVALID_REQUEST");
  assert.equal(beyond.headers.get("content-range"), "bytes */10");
  const head = await test.send("HEAD", path);
  assert.deepEqual([head.status, head.headers.get("content-length"), head.text], [200, "10", ""]);
});

Deno.test("content of a directory is a tar archive; a HEAD of it reads nothing", async () => {
  let cancelled = 0;
  const directory: VersionContent = {
    type: "directory",
    name: "photos",
    etag: "tree",
    tar: () =>
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(512)),
        cancel: () => void cancelled++,
      }, { highWaterMark: 0 }),
  };
  await using test = await startBackupApp({ content: () => Promise.resolve(directory) });
  const path = `/backup/versions/${ID}/content?${new URLSearchParams({ backupPath: `${test.root}/r` })}`;
  const head = await test.send("HEAD", path, { headers: { range: "bytes=0-1" } });
  assert.deepEqual([head.status, head.headers.get("content-type")], [200, "application/x-tar"]);
  assert.match(head.headers.get("content-disposition") ?? "", /filename="photos\.tar"/);
  assert.equal(cancelled, 1);
});
