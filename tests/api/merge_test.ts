/** `POST /merge/files` over HTTP: the reference's request, what it refuses, where it writes. */
import assert from "node:assert/strict";
import type { Json } from "../harness/server.ts";
import { sharedServer } from "../harness/suite.ts";
import { assertError } from "../harness/sync.ts";
import { createKey } from "../harness/keys.ts";

const server = sharedServer();

interface Files {
  directory: string;
  baseFile: string;
  sourceFile: string;
  targetFile: string;
}

type Content = string | Uint8Array;

async function makeFiles(base: Content, source: Content, target: Content, extension = "txt"): Promise<Files> {
  const directory = `${server().root}/${crypto.randomUUID()}`;
  await Deno.mkdir(directory);
  const files = { directory, baseFile: "base", sourceFile: "source", targetFile: "target" };
  for (const [name, content] of [["base", base], ["source", source], ["target", target]] as const) {
    const path = files[`${name}File`] = `${directory}/${name}.${extension}`;
    await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
  }
  return files;
}

function post({ directory: _, ...files }: Files, fields: Json = {}, options = {}) {
  return server().request("POST", "/merge/files", { ...files, ...fields }, options);
}

Deno.test("the reference's request gets the reference's answer", async () => {
  const lines = (edit: string) =>
    Array.from({ length: 60 }, (_, index) => index === 41 ? edit : `${index + 1}`).join("\n");
  const files = await makeFiles(lines("original"), lines("modified in source"), lines("modified in target"));
  const { status, body } = await post(files);
  assert.equal(status, 200);
  assert.equal(body.success, true);
  assert.equal(body.mergedContent, lines("modified in source"));
  assert.deepEqual(body.conflicts, [{
    lineNumber: 42,
    baseContent: "original\n",
    sourceContent: "modified in source\n",
    targetContent: "modified in target\n",
    resolution: "modified in source\n",
  }]);
  assert.equal(body.conflictResolutionCount, 1);
  const session = await server().request("GET", `/sync/session/${body.sessionId}/status`);
  assert.equal(session.body.status, "completed");
  assert.equal(session.body.result.mergedContent, body.mergedContent);
});

Deno.test("Manual leaves markers and says that it did not succeed", async () => {
  const files = await makeFiles("a\n", "b\n", "c\n");
  const { body } = await post(files, { strategy: "Manual" });
  const marked = "<<<<<<< source\nb\n=======\nc\n>>>>>>> target\n";
  assert.deepEqual([body.success, body.mergedContent], [false, marked]);
  assert.deepEqual([body.conflicts[0].resolution, body.conflictCount, body.conflictResolutionCount], [marked, 1, 0]);
});

Deno.test("outputFile is written whole, keeps its permissions and may be an input", async () => {
  const files = await makeFiles("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n");
  await Deno.chmod(files.targetFile, 0o640);
  const { body } = await post(files, { outputFile: files.targetFile });
  assert.equal(body.mergedContent, "A\nb\nC\n");
  assert.equal(await Deno.readTextFile(files.targetFile), "A\nb\nC\n");
  assert.equal((await Deno.stat(files.targetFile)).mode! & 0o777, 0o640);
  await post(files, { outputFile: `${files.directory}/new` });
  assert.equal(await Deno.readTextFile(`${files.directory}/new`), "A\nb\nC\n");
  const names = (await Array.fromAsync(Deno.readDir(files.directory))).map(({ name }) => name).sort();
  assert.deepEqual(names, ["base.txt", "new", "source.txt", "target.txt"]);
});

Deno.test("the merge of what is not UTF-8 needs an outputFile, which has it byte for byte", async () => {
  const [base, source, target] = [[97, 10, 98, 10, 0xff], [65, 10, 98, 10, 0xff], [97, 10, 98, 10, 0xfe]];
  const files = await makeFiles(Uint8Array.from(base), Uint8Array.from(source), Uint8Array.from(target));
  assert.match(assertError(await post(files), 400, "INVALID_REQUEST").details, /outputFile/);
  const { body } = await post(files, { outputFile: `${files.directory}/out` });
  assert.deepEqual([body.mergedContent, body.isContentOmitted, body.mergedSize], ["", true, 5]);
  assert.deepEqual([...await Deno.readFile(`${files.directory}/out`)], [65, 10, 98, 10, 0xfe]);
});

Deno.test("a large merge is in the outputFile only, and its conflicts fit an answer", async () => {
  const line = "x".repeat(1000);
  const content = (side: string) =>
    Array.from({ length: 20_000 }, (_, i) => i % 2 ? `${line}${side}${i}\n` : `${i}\n`).join("");
  const files = await makeFiles(content(""), content("s"), content("t"));
  assertError(await post(files), 400, "INVALID_REQUEST");
  const answer = await post(files, { outputFile: files.sourceFile });
  assert.deepEqual([answer.body.conflictCount, answer.body.isContentOmitted], [10_000, true]);
  assert.equal(answer.body.conflicts.length, 1000);
  assert.ok(answer.text.length < 8 << 20);
  assert.equal(await Deno.readTextFile(files.sourceFile), content("s"));
});

Deno.test("binary files, files over 64 MiB and what is no file are refused", async () => {
  const files = await makeFiles("a\n", "a\n", "a\n");
  const refused = async (field: keyof Files, path: string, words: RegExp) => {
    const { details } = assertError(await post({ ...files, [field]: path }), 400, "INVALID_REQUEST");
    assert.match(details, words);
    assert.ok(details.includes(field), details);
  };
  await Deno.writeFile(`${files.directory}/binary`, Uint8Array.of(97, 0, 98));
  await refused("sourceFile", `${files.directory}/binary`, /binary/);
  await Deno.writeFile(`${files.directory}/large`, new Uint8Array(0));
  await Deno.truncate(`${files.directory}/large`, (64 << 20) + 1);
  await refused("baseFile", `${files.directory}/large`, /64 MiB/);
  await refused("targetFile", files.directory, /directory/);
  const { details } = assertError(await post({ ...files, baseFile: `${files.directory}/none` }), 404, "NOT_FOUND");
  assert.ok(details.includes("baseFile"), details);
});

Deno.test("all four paths must lie below a root, links resolved, and none in the data directory", async () => {
  const files = await makeFiles("a\n", "a\n", "b\n");
  const outside = `${server().outside}/${crypto.randomUUID()}`;
  await Deno.writeTextFile(outside, "secret\n");
  await Deno.symlink(outside, `${files.directory}/link`);
  for (const field of ["baseFile", "sourceFile", "targetFile", "outputFile"]) {
    for (const path of [outside, `${files.directory}/link`, `${server().dataDir}/admin-token`]) {
      const answer = await post(files, { [field]: path });
      assert.ok(assertError(answer, 403, "FORBIDDEN").details.includes(field));
      assert.ok(!answer.text.includes("secret"));
    }
    assertError(await post(files, { [field]: "relative" }), 400, "INVALID_REQUEST");
  }
  assert.equal(await Deno.readTextFile(outside), "secret\n");
});

Deno.test("outputFile: a directory is refused, a missing directory is not found", async () => {
  const files = await makeFiles("a\n", "a\n", "b\n");
  assertError(await post(files, { outputFile: files.directory }), 400, "INVALID_REQUEST");
  assertError(await post(files, { outputFile: `${files.directory}/no/where` }), 404, "NOT_FOUND");
});

Deno.test("fields of a wrong type, unknown ones and missing ones are refused by name", async () => {
  const files = await makeFiles("a\n", "a\n", "b\n");
  const wrong = {
    baseFile: 5,
    sourceFile: null,
    targetFile: undefined,
    outputFile: "",
    strategy: "Coin",
    format: "csv",
    extra: 1,
  };
  for (const [field, value] of Object.entries(wrong)) {
    const { details } = assertError(await post(files, { [field]: value }), 400, "INVALID_REQUEST");
    assert.ok(details.includes(field), details);
  }
});

Deno.test("it needs the scope merge", async () => {
  const files = await makeFiles("a\n", "a\n", "b\n");
  for (const [scope, status] of [["merge", 200], ["admin", 200], ["sync", 403], ["read", 403]] as const) {
    const { token } = await createKey(server(), [scope]);
    assert.equal((await post(files, {}, { token })).status, status);
  }
});

Deno.test("respond-async gives a session whose result is the merge", async () => {
  const files = await makeFiles("a\n", "a\n", "b\n");
  const { status, headers } = await post(files, {}, { headers: { prefer: "respond-async" } });
  assert.equal(status, 202);
  assert.match(headers.get("location") ?? "", /^\/api\/v1\/sync\/session\/session-[^/]+\/status$/);
});
