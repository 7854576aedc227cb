/**
 * The cloud API in hostile hands: keys, links and local paths that should not work, and places that do not let it. Over 350 lines, because
 * all share emulators that take seconds to start.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type CloudEmulators, startClouds } from "../harness/cloud.ts";
import { createRandom } from "../harness/random.ts";
import { type Answer, type Server, startServer } from "../harness/server.ts";
import { assertError } from "../harness/sync.ts";
import { poll } from "../harness/poll.ts";
import { CANNOT_MOUNT, mountTmpfs, resizeTmpfs } from "../integration/tmpfs.ts";
import { withoutRootsPowers } from "../integration/ordinary_user.ts";

let clouds: CloudEmulators;
let server: Server;

Deno.test.beforeAll(async () => {
  clouds = await startClouds();
  server = await startServer({ env: clouds.env });
});

Deno.test.afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await clouds[Symbol.asyncDispose]();
});

const PROVIDERS = ["s3", "azure", "local"] as const;

function post(provider: string, what: "upload" | "download", cloudPath: string, localPath: string): Promise<Answer> {
  return server.request("POST", `/cloud/${provider}/${what}`, { cloudPath, localPath });
}

const ask = (method: string, provider: string, what: string, query: Record<string, string>) =>
  server.request(method, `/cloud/${provider}/${what}?${new URLSearchParams(query)}`);

async function put(provider: string, cloudPath: string, bytes: Uint8Array): Promise<void> {
  const localPath = `${server.root}/file-${crypto.randomUUID()}`;
  await Deno.writeFile(localPath, bytes);
  const answer = await post(provider, "upload", cloudPath, localPath);
  assert.equal(answer.status, 200, answer.text);
}

for (const provider of PROVIDERS) {
  Deno.test(`${provider}: no key leads anywhere else`, async () => {
    const localPath = `${server.root}/key-${provider}`;
    await Deno.writeTextFile(localPath, "x");
    const keys = [
      "../x",
      "a//b",
      ".",
      "..",
      "",
      "/",
      "//x",
      "a/",
      "a/./b",
      "a/../../b",
      "x".repeat(2000),
      "nul\0",
      "\ud800",
    ];
    keys.push("ü".repeat(600), "a/..", "\0");
    for (const key of keys) {
      const answers = [
        await post(provider, "upload", key, localPath),
        await post(provider, "download", key, `${server.root}/never`),
        await ask("GET", provider, "metadata", { path: key }),
        await ask("GET", provider, "shared-link", { path: key }),
        await ask("DELETE", provider, "object", { path: key }),
      ];
      // In a query, half a surrogate pair cannot be said: it becomes another character, whose object is not there.
      for (const [index, answer] of answers.entries()) {
        if (key === "\ud800" && index >= 2) assertError(answer, 404, "NOT_FOUND");
        else assertError(answer, 400, "INVALID_REQUEST");
      }
    }
    for (const prefix of ["../", "a//", "..", "/../.."]) {
      const answer = await ask("GET", provider, "list", { prefix });
      if (answer.status === 200) assert.deepEqual(answer.body.files, [], prefix);
      else assertError(answer, 400, "INVALID_REQUEST");
    }
    await assert.rejects(Deno.lstat(`${server.root}/never`), Deno.errors.NotFound);
  });

  Deno.test(`${provider}: keys that look odd are kept as they are, tmp/ and .. in names too`, async () => {
    const keys = ["tmp/x", "tmp", "..a", "a..", "...", "-rf", "~", "%2e%2e/x", "a b+c", "CON", "größe\u0301"].map((
      key,
    ) => `odd/${key}`).concat("tmp/at the top");
    const kept = keys.filter((key) => !(provider === "local" && key === "odd/tmp"));
    for (const key of kept) await put(provider, key, new TextEncoder().encode(key));
    for (const key of kept) {
      const localPath = `${server.root}/odd-${provider}`;
      const answer = await post(provider, "download", key, localPath);
      assert.equal(answer.status, 200, answer.text);
      assert.equal(await Deno.readTextFile(localPath), key);
    }
    const listed = (await ask("GET", provider, "list", { prefix: "odd/" })).body.files.map((file: { path: string }) =>
      file.path
    );
    assert.deepEqual(listed.sort(), kept.filter((key) => key.startsWith("odd/")).sort());
  });

  Deno.test(`${provider}: a download lands only where it may, and nothing is left where it may not`, async () => {
    await put(provider, "object", new Uint8Array(1000));
    const root = `${server.root}/places-${provider}`;
    await Deno.mkdir(`${root}/directory`, { recursive: true });
    await Deno.symlink(server.outside, `${root}/out`);
    await Deno.writeTextFile(`${server.outside}/victim`, "old");
    await Deno.symlink(`${server.outside}/victim`, `${root}/file-out`);
    await Deno.symlink(`${root}/nothing`, `${root}/dangling`);
    await Deno.symlink(`${root}/loop`, `${root}/loop`);
    await Deno.writeTextFile(`${root}/file`, "old");
    const cases: [path: string, status: number, code: string][] = [
      [`${root}/directory`, 400, "INVALID_REQUEST"],
      [`${root}/out/new`, 403, "FORBIDDEN"],
      [`${root}/file-out`, 403, "FORBIDDEN"],
      [`${root}/dangling`, 400, "INVALID_REQUEST"],
      [`${root}/loop`, 400, "INVALID_REQUEST"],
      [`${root}/file/below`, 400, "INVALID_REQUEST"],
      [`${root}/${"x".repeat(256)}`, 400, "INVALID_REQUEST"],
      [`${root}/../../outside/new`, 403, "FORBIDDEN"],
      [`${server.dataDir}/new`, 403, "FORBIDDEN"],
      ["relative", 400, "INVALID_REQUEST"],
      [`${root}/nul\0`, 400, "INVALID_REQUEST"],
    ];
    for (const [path, status, code] of cases) {
      assertError(await post(provider, "download", "object", path), status, code);
    }
    assert.equal(await Deno.readTextFile(`${server.outside}/victim`), "old");
    assert.deepEqual((await Array.fromAsync(Deno.readDir(server.outside))).map(({ name }) => name), ["victim"]);
    const names = (await Array.fromAsync(Deno.readDir(root))).map(({ name }) => name).sort();
    assert.deepEqual(names, ["dangling", "directory", "file", "file-out", "loop", "out"]);
    await Deno.remove(`${server.outside}/victim`);
  });
}

Deno.test("local: objects below an object are refused in words of keys", async () => {
  await put("local", "nested/file", new Uint8Array(1));
  const localPath = `${server.root}/nested`;
  await Deno.writeTextFile(localPath, "x");
  const beside = assertError(await post("local", "upload", "nested", localPath), 400, "INVALID_REQUEST");
  assert.match(beside.details, /no object beside those of nested\//);
  const below = assertError(await post("local", "upload", "nested/file/x", localPath), 400, "INVALID_REQUEST");
  assert.match(below.details, /below another/);
});

Deno.test("local: a link serves its object by GET and HEAD, in ranges, and nothing by other means", async () => {
  const bytes = createRandom(1).bytes(10_000);
  await put("local", "linked.txt", bytes);
  await put("local", "empty.txt", new Uint8Array());
  const url = (await ask("GET", "local", "shared-link", { path: "linked.txt", expiresIn: "60" })).body.url;
  const fetched = async (init: RequestInit = {}, at = url) => {
    const response = await fetch(at, init);
    return { status: response.status, headers: response.headers, body: new Uint8Array(await response.arrayBuffer()) };
  };
  const head = await fetched({ method: "HEAD" });
  assert.deepEqual([head.status, head.headers.get("content-length"), head.body.length], [200, "10000", 0]);
  const etag = head.headers.get("etag") as string;
  const ranges: [range: string, status: number, start: number, end: number][] = [
    ["bytes=0-0", 206, 0, 1],
    ["bytes=-5", 206, 9_995, 10_000],
    ["bytes=9000-", 206, 9_000, 10_000],
    ["bytes=9000-99999", 206, 9_000, 10_000],
    ["lines=1-2", 200, 0, 10_000],
    ["bytes=5-1", 200, 0, 10_000],
  ];
  for (const [range, status, start, end] of ranges) {
    const answer = await fetched({ headers: { range } });
    assert.equal(answer.status, status, range);
    assert(Buffer.from(answer.body).equals(bytes.subarray(start, end)), range);
  }
  for (const range of ["bytes=10000-", "bytes=99999-100000"]) {
    const answer = await fetched({ headers: { range } });
    assert.deepEqual([answer.status, answer.headers.get("content-range")], [416, "bytes */10000"], range);
  }
  assert.equal((await fetched({ headers: { "if-none-match": etag } })).status, 304);
  assert.equal((await fetched({ headers: { range: "bytes=0-1", "if-range": '"other"' } })).status, 200);
  for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
    const answer = await fetched({ method });
    assert.equal(answer.status, 405, method);
  }
  const emptyUrl = (await ask("GET", "local", "shared-link", { path: "empty.txt" })).body.url;
  assert.deepEqual([(await fetched({}, emptyUrl)).status, (await fetched({}, emptyUrl)).body.length], [200, 0]);
  // Not a key of another kind, nor two of one name, nor one in another form.
  const changed = (change: (query: URLSearchParams) => void) => {
    const link = new URL(url);
    change(link.searchParams);
    return fetched({}, link.href);
  };
  const changes: [status: number[], change: (query: URLSearchParams) => void][] = [
    [[403], (query) => query.set("path", "/linked.txt")],
    [[403], (query) => query.set("path", "./linked.txt")],
    [[403], (query) => query.set("path", "../state.db")],
    [[403], (query) => query.set("expires", `0${query.get("expires")}x`.slice(0, -1).replace(/^0/, "1"))],
    [[400, 403], (query) => query.set("expires", "1e12")],
    [[400, 403], (query) => query.set("expires", "-1")],
    [[400, 403], (query) => query.append("path", "empty.txt")],
    [[400, 403], (query) => query.append("expires", "99999999999")],
    [[400, 403], (query) => query.delete("signature")],
    [[400, 403], (query) => query.set("signature", `${query.get("signature")}=`)],
    [[400], (query) => query.set("more", "1")],
  ];
  for (const [statuses, change] of changes) {
    const { status } = await changed(change);
    assert(statuses.includes(status), `${status} for ${change}`);
  }
  // It is no token for anything else.
  const api = await server.request("GET", `/cloud/local/list${new URL(url).search}`, undefined, { token: null });
  assert.equal(api.status, 401);
  await ask("DELETE", "local", "object", { path: "linked.txt" });
  assert.equal((await fetched()).status, 404);
});

Deno.test("local: a link has the address that the configuration gives, and believes no header", async () => {
  await put("local", "addressed", new Uint8Array(3));
  const forwarded = {
    "x-forwarded-proto": "https",
    "x-forwarded-host": "evil.example",
    forwarded: "host=evil.example",
  };
  const path = "/cloud/local/shared-link?path=addressed";
  const plain = (await server.request("GET", path, undefined, { headers: forwarded })).body.url;
  assert(plain.startsWith(`${server.url}/shared?`), plain);
  for (const publicUrl of ["https://sync.example.org", "https://example.org/sync/"]) {
    await using other = await startServer({ env: { SYNCLINE_PUBLIC_URL: publicUrl } });
    const localPath = `${other.root}/file`;
    await Deno.writeTextFile(localPath, "abc");
    await other.request("POST", "/cloud/local/upload", { cloudPath: "addressed", localPath });
    const { url } = (await other.request("GET", path, undefined, { headers: forwarded })).body;
    assert(url.startsWith(`${publicUrl.replace(/\/$/, "")}/shared?`), url);
    // What the proxy makes of it is good.
    const answer = await fetch(`${other.url}/shared${new URL(url).search}`);
    assert.equal(await answer.text(), "abc");
  }
});

Deno.test("a directory that the server may not write to is FORBIDDEN, and so is a file that it may not read", async () => {
  await withoutRootsPowers(async (other) => {
    await Deno.writeTextFile(`${other.root}/file`, "x");
    const send = (what: string, localPath: string) =>
      other.request("POST", `/cloud/local/${what}`, { cloudPath: "object", localPath });
    assert.equal((await send("upload", `${other.root}/file`)).status, 200);
    await Deno.mkdir(`${other.root}/closed`, { mode: 0o555 });
    await Deno.chmod(`${other.root}/closed`, 0o555);
    const answer = assertError(await send("download", `${other.root}/closed/down`), 403, "FORBIDDEN");
    assert.match(answer.details, /closed\/down.*permission/i);
    await Deno.chmod(`${other.root}/closed`, 0o755);
    await Deno.writeTextFile(`${other.root}/secret`, "x");
    await Deno.chmod(`${other.root}/secret`, 0o000);
    assertError(await send("upload", `${other.root}/secret`), 403, "FORBIDDEN");
  });
});

Deno.test({
  name: "a disk that is full ends a transfer clearly and is left as it was (mounts a tmpfs as root)",
  ignore: CANNOT_MOUNT,
  fn: async () => {
    const small = `${server.root}/small-disk`;
    await Deno.mkdir(small);
    await using _disk = await mountTmpfs(small, "8m");
    await Deno.writeTextFile(`${small}/target`, "old");
    const bytes = createRandom(2).bytes(30_000_000);
    for (const provider of PROVIDERS) {
      await put(provider, "too long", bytes);
      const answer = assertError(await post(provider, "download", "too long", `${small}/target`), 503, "CLOUD_ERROR");
      assert.match(answer.details, /small-disk\/target.*no space left/i);
      assert.deepEqual((await Array.fromAsync(Deno.readDir(small))).map(({ name }) => name), ["target"]);
      assert.equal(await Deno.readTextFile(`${small}/target`), "old");
    }
    await resizeTmpfs(small, "64m");
    assert.equal((await post("s3", "download", "too long", `${small}/target`)).status, 200);
    assert(Buffer.from(await Deno.readFile(`${small}/target`)).equals(bytes));
  },
});

Deno.test({
  name: "a full data directory ends uploads to this server clearly, and room heals it (mounts a tmpfs as root)",
  ignore: CANNOT_MOUNT,
  fn: async () => {
    await using other = await startServer({ env: clouds.env });
    const objects = `${other.dataDir}/cloud`;
    await using _disk = await mountTmpfs(objects, "6m");
    await Deno.mkdir(`${objects}/transfers`);
    const localPath = `${other.root}/file`;
    await Deno.writeFile(localPath, createRandom(3).bytes(20_000_000));
    const upload = (provider: string) =>
      other.request("POST", `/cloud/${provider}/upload`, { cloudPath: "object", localPath });
    const answer = assertError(await upload("local"), 503, "CLOUD_ERROR");
    assert.match(answer.details, /no space left/i);
    assertError(await other.request("GET", "/cloud/local/metadata?path=object"), 404, "NOT_FOUND");
    assert.deepEqual(await Array.fromAsync(Deno.readDir(`${objects}/objects.unfinished`)), []);
    await Deno.writeFile(`${objects}/filler`, new Uint8Array(7_000_000).fill(1)).catch(() => {});
    const untracked = assertError(await upload("s3"), 503, "CLOUD_ERROR");
    assert.match(untracked.details, /data directory.*no space left/i);
    await resizeTmpfs(objects, "64m");
    assert.equal((await upload("local")).status, 200);
    assert.equal((await upload("s3")).status, 200);
  },
});

Deno.test("SIGKILL in an upload to this server leaves no half of it after the next start", async () => {
  const first = await startServer({ env: clouds.env });
  const sandbox = first.sandbox;
  const localPath = `${sandbox.root}/file`;
  const bytes = createRandom(4).bytes(300_000_000);
  await Deno.writeFile(localPath, bytes);
  const unfinished = `${sandbox.dataDir}/cloud/objects.unfinished`;
  const names = () => Array.fromAsync(Deno.readDir(unfinished)).catch(() => []);
  const uploading = first.request("POST", "/cloud/local/upload", { cloudPath: "object", localPath }).catch(() => {});
  await poll("an upload under way", async () => (await names()).length > 0, { intervalMs: 1 });
  await first.kill();
  await uploading;
  {
    await using server = await startServer({ sandbox, env: clouds.env });
    assert.deepEqual(await names(), []);
    assertError(await server.request("GET", "/cloud/local/metadata?path=object"), 404, "NOT_FOUND");
    const again = await server.request("POST", "/cloud/local/upload", { cloudPath: "object", localPath });
    assert.equal(again.status, 200, again.text);
    assert(Buffer.from(await Deno.readFile(`${sandbox.dataDir}/cloud/objects/object`)).equals(bytes));
  }
  await first[Symbol.asyncDispose]();
});

Deno.test("a listing of 10,000 objects with a filter is quick, in pages too", async () => {
  const directory = `${server.dataDir}/cloud/objects/many`;
  await Deno.mkdir(directory, { recursive: true });
  for (let i = 0; i < 10_000; i += 100) {
    const names = Array.from({ length: 100 }, (_, at) => `${i + at}.${at % 2 === 0 ? "zip" : "txt"}`);
    await Promise.all(names.map((name) => Deno.writeTextFile(`${directory}/${name}`, "x")));
  }
  const startedAt = performance.now();
  const seen: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const query: Record<string, string> = {
      prefix: "many/",
      filter: "**[0-9]*.zip",
      ...cursor === "" ? {} : { cursor },
    };
    const page: Answer = await ask("GET", "local", "list", query);
    assert.equal(page.body.totalCount, 5_000);
    assert(page.body.files.length <= 1_000);
    seen.push(...page.body.files.map((file: { path: string }) => file.path));
    cursor = page.body.nextCursor;
  }
  assert.equal(new Set(seen).size, 5_000);
  assert(performance.now() - startedAt < 10_000, `${performance.now() - startedAt} ms`);
  const evil = performance.now();
  assert.equal((await ask("GET", "local", "list", { filter: "**a".repeat(300) })).status, 200);
  assert(performance.now() - evil < 10_000, `${performance.now() - evil} ms`);
});

Deno.test("a store that dies in the middle of an upload is told in words that help", async () => {
  await using mortal = await startClouds();
  await using other = await startServer({ env: mortal.env });
  const localPath = `${other.root}/file`;
  const bytes = createRandom(5).bytes(100_000_000);
  await Deno.writeFile(localPath, bytes);
  const request = { cloudPath: "object", localPath };
  const uploading = other.request("POST", "/cloud/azure/upload", request);
  const journals = `${other.dataDir}/cloud/transfers`;
  await poll("parts that have arrived", async () => {
    for await (const { name } of Deno.readDir(journals)) {
      const text = await Deno.readTextFile(`${journals}/${name}`).catch(() => "");
      if (text.split("\n").length > 2) return true;
    }
    return false;
  }, { intervalMs: 1 });
  Deno.kill(mortal.azure.pid, "SIGKILL");
  const answer = assertError(await uploading, 503, "CLOUD_ERROR");
  assert.match(answer.details, /refused|lost/);
});
