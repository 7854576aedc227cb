/** The cloud API over HTTP, of every provider. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type CloudEmulators, startClouds } from "../harness/cloud.ts";
import { createRandom } from "../harness/random.ts";
import { type Answer, type Server, startServer } from "../harness/server.ts";
import { assertError, TIMESTAMP } from "../harness/sync.ts";
import { poll } from "../harness/poll.ts";
import { sessionEnd } from "../harness/sessions.ts";

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

async function upload(provider: string, cloudPath: string, bytes: Uint8Array, fields: object = {}): Promise<Answer> {
  const localPath = `${server.root}/up-${crypto.randomUUID()}`;
  await Deno.writeFile(localPath, bytes);
  return await server.request("POST", `/cloud/${provider}/upload`, { cloudPath, localPath, ...fields });
}

const ask = (method: string, provider: string, what: string, query: Record<string, string>) =>
  server.request(method, `/cloud/${provider}/${what}?${new URLSearchParams(query)}`);

for (const provider of ["s3", "azure", "local"]) {
  Deno.test(`${provider}: what goes up comes down, short, empty and of many parts`, async () => {
    const random = createRandom(11);
    for (const size of [0, 5, 3_000_000, 40_000_000]) {
      const bytes = random.bytes(size);
      const up = await upload(provider, `/sizes/file-${size}.zip`, bytes, { metadata: { "backup-type": "full" } });
      assert.equal(up.status, 200, up.text);
      assert.deepEqual(
        [up.body.success, up.body.message, typeof up.body.executionTimeMs, up.body.size],
        [true, "File uploaded successfully", "number", size],
      );
      const localPath = `${server.root}/made/for/${provider}-${size}`;
      const down = await server.request("POST", `/cloud/${provider}/download`, {
        cloudPath: `sizes/file-${size}.zip`,
        localPath,
      });
      assert.equal(down.status, 200, down.text);
      assert(Buffer.from(await Deno.readFile(localPath)).equals(bytes));
      const details = await ask("GET", provider, "metadata", { path: `sizes/file-${size}.zip` });
      assert.equal(details.status, 200, details.text);
      assert.deepEqual(details.body.metadata, { "backup-type": "full" });
      assert.equal(details.body.contentType, "application/zip");
      assert.equal(details.body.size, size);
      assert.equal(details.body.eTag, up.body.eTag);
    }
    assert.deepEqual(
      (await Array.fromAsync(Deno.readDir(`${server.root}/made/for`))).filter(({ name }) => name.startsWith(".")),
      [],
    );
  });

  Deno.test(`${provider}: a listing has the reference's shape, filters, and comes in pages`, async () => {
    const names = ["a.zip", "b.txt", "c d+%#.zip", "größe.zip", ".hidden"];
    for (const name of names) assert.equal((await upload(provider, `listing/${name}`, new Uint8Array(3))).status, 200);
    const all = await ask("GET", provider, "list", { prefix: "/listing/" });
    assert.equal(all.status, 200, all.text);
    assert.deepEqual(all.body.files.map((file: { name: string }) => file.name), [
      ".hidden",
      "a.zip",
      "b.txt",
      "c d+%#.zip",
      "größe.zip",
    ]);
    assert.equal(all.body.totalCount, 5);
    assert.equal(all.body.nextCursor, null);
    const [file] = all.body.files;
    assert.deepEqual([file.path, file.size], ["listing/.hidden", 3]);
    assert.match(file.modifiedDate, TIMESTAMP);
    assert.match(file.eTag, /^[^"]+$/);

    const seen: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const query: Record<string, string> = { prefix: "listing/", filter: "*.zip", limit: "1" };
      const page: Answer = await ask("GET", provider, "list", cursor === "" ? query : { ...query, cursor });
      assert.equal(page.body.totalCount, 3);
      seen.push(...page.body.files.map((each: { name: string }) => each.name));
      cursor = page.body.nextCursor;
    }
    assert.deepEqual(seen, ["a.zip", "c d+%#.zip", "größe.zip"]);
  });

  Deno.test(`${provider}: a shared link gives the object, with its type and its name, and nothing else`, async () => {
    const bytes = createRandom(5).bytes(100_000);
    await upload(provider, "share/größe 1.txt", bytes);
    const link = await ask("GET", provider, "shared-link", { path: "share/größe 1.txt", expiresIn: "60" });
    assert.equal(link.status, 200, link.text);
    assert.ok(Math.abs(Date.parse(link.body.expiresAt) - Date.now() - 60_000) < 10_000);
    const answer = await fetch(link.body.url);
    assert(Buffer.from(await answer.arrayBuffer()).equals(bytes));
    if (provider !== "s3") {
      assert.match(answer.headers.get("content-disposition") ?? "", /filename\*=UTF-8''gr%C3%B6%C3%9Fe%201\.txt/);
    }
    assert.match(answer.headers.get("content-type") ?? "", /^text\/plain/);
    for (const expiresIn of ["0", "604801", "x", "-1", "1.5"]) {
      assertError(
        await ask("GET", provider, "shared-link", { path: "share/größe 1.txt", expiresIn }),
        400,
        "INVALID_REQUEST",
      );
    }
    assertError(await ask("GET", provider, "shared-link", { path: "share/none" }), 404, "NOT_FOUND");
  });

  Deno.test(`${provider}: what is not there is NOT_FOUND, and deleting takes away`, async () => {
    await upload(provider, "gone/object", new Uint8Array(1));
    const removed = await ask("DELETE", provider, "object", { path: "gone/object" });
    assert.equal(removed.status, 200, removed.text);
    const localPath = `${server.root}/never`;
    const answers = [
      await ask("DELETE", provider, "object", { path: "gone/object" }),
      await ask("GET", provider, "metadata", { path: "gone/object" }),
      await server.request("POST", `/cloud/${provider}/download`, { cloudPath: "gone/object", localPath }),
      await server.request("POST", `/cloud/${provider}/upload`, { cloudPath: "x", localPath: `${server.root}/none` }),
    ];
    for (const answer of answers) assertError(answer, 404, "NOT_FOUND");
    await assert.rejects(Deno.stat(localPath), Deno.errors.NotFound);
  });

  Deno.test(`${provider}: metadata that cannot be kept is refused by name; keys and paths are confined`, async () => {
    for (
      const metadata of [{ "bad key": "x" }, { "1st": "x" }, { ok: "größe" }, { a: "1", A: "2" }, {
        k: "x".repeat(3000),
      }]
    ) {
      const { details } = assertError(
        await upload(provider, "x", new Uint8Array(1), { metadata }),
        400,
        "INVALID_REQUEST",
      );
      assert.match(details, /metadata/);
      const bad = Object.keys(metadata)[0];
      assert(metadata.k !== undefined || details.includes(bad), `${details} does not name ${bad}`);
    }
    assertError(await upload(provider, "a/../b", new Uint8Array(1)), 400, "INVALID_REQUEST");
    assertError(await upload(provider, "x".repeat(1025), new Uint8Array(1)), 400, "INVALID_REQUEST");
    const secret = `${server.outside}/secret`;
    await Deno.writeTextFile(secret, "secret");
    await Deno.remove(`${server.root}/link`).catch(() => {});
    await Deno.symlink(secret, `${server.root}/link`);
    for (const localPath of [secret, `${server.root}/link`, `${server.dataDir}/state.db`]) {
      assertError(
        await server.request("POST", `/cloud/${provider}/upload`, { cloudPath: "x", localPath }),
        403,
        "FORBIDDEN",
      );
    }
    await upload(provider, "confined", new Uint8Array(3));
    const down = (localPath: string) =>
      server.request("POST", `/cloud/${provider}/download`, { cloudPath: "confined", localPath });
    assertError(await down(`${server.outside}/new`), 403, "FORBIDDEN");
    assertError(await down(server.root), 400, "INVALID_REQUEST");
    assertError(await upload(provider, "x", new Uint8Array(1), { localPath: server.root }), 400, "INVALID_REQUEST");
  });
}

Deno.test("local: a link that was changed or has expired is refused, and takes ranges", async () => {
  const bytes = createRandom(6).bytes(10_000);
  await upload("local", "signed/one.bin", bytes);
  await upload("local", "signed/two.bin", bytes);
  const link = await ask("GET", "local", "shared-link", { path: "signed/one.bin", expiresIn: "1" });
  const change = (changes: Record<string, string>) => {
    const url = new URL(link.body.url);
    for (const [name, value] of Object.entries(changes)) url.searchParams.set(name, value);
    return fetch(url);
  };
  const range = await fetch(link.body.url, { headers: { range: "bytes=10-19" } });
  assert.equal(range.status, 206);
  assert(Buffer.from(await range.arrayBuffer()).equals(bytes.subarray(10, 20)));
  const signature = new URL(link.body.url).searchParams.get("signature") as string;
  const flipped = (signature[0] === "A" ? "B" : "A") + signature.slice(1);
  const forged: Record<string, string>[] = [
    { path: "signed/two.bin" },
    { expires: "9999999999" },
    { signature: flipped },
    { signature: "" },
  ];
  for (const changes of forged) {
    const answer = await change(changes);
    assert.equal(answer.status, 403);
    assert.equal((await answer.json()).errorCode, "FORBIDDEN");
  }
  await poll("the link's end", async () => (await change({})).status === 403);
});

Deno.test("a transfer can go on as a session, with its figures", async () => {
  const localPath = `${server.root}/session`;
  await Deno.writeFile(localPath, createRandom(2).bytes(30_000_000));
  const started = await server.request("POST", "/cloud/s3/upload", { cloudPath: "session", localPath }, {
    headers: { prefer: "respond-async" },
  });
  assert.equal(started.status, 202, started.text);
  const session = await sessionEnd(server, started.body.sessionId);
  assert.equal(session.status, "completed", session.message);
  assert.equal(session.result.bytesTransferred, 30_000_000);
});

Deno.test("health probes the stores, and the metrics count what they hold", async () => {
  const { body } = await server.request("GET", "/health");
  assert.deepEqual([body.details.s3, body.details.azure], ["available", "available"]);
  await upload("s3", "usage/object", new Uint8Array(1000));
  const total = async () => {
    const { files } = (await ask("GET", "s3", "list", { limit: "10000" })).body;
    return files.reduce((sum: number, file: { size: number }) => sum + file.size, 0);
  };
  await poll("the usage", async () => {
    return (await server.request("GET", "/metrics")).body.cloudStorageUsage.s3 === await total();
  });
  const of = async () => (await server.request("GET", "/metrics")).body.cloudStorageUsage.local;
  await poll("the usage before", async () => await of() > 0);
  const before = await of();
  await upload("local", "usage/object", new Uint8Array(1000));
  await poll("the usage of this server's own store", async () => await of() === before + 1000);
});

Deno.test("an unknown provider is 404, one that is not configured 503 with the variables", async () => {
  assertError(await ask("GET", "gcs", "list", {}), 404, "NOT_FOUND");
  await using bare = await startServer({
    env: Object.fromEntries([...Object.keys(clouds.env), "AWS_PROFILE"].map((name) => [name, ""])),
  });
  for (const [provider, variable] of [["s3", "S3_BUCKET"], ["azure", "AZURE_STORAGE_CONNECTION_STRING"]]) {
    const answer = await bare.request("GET", `/cloud/${provider}/list`);
    assertError(answer, 503, "CLOUD_ERROR");
    assert.match(answer.body.details, new RegExp(variable));
  }
  assert.equal((await bare.request("GET", "/cloud/local/list")).body.totalCount, 0);
});

Deno.test("a missing bucket, wrong credentials and no connection each say what is wrong", async () => {
  const cases: [env: Record<string, string>, provider: string, words: RegExp][] = [
    [{ S3_BUCKET: "no-such-bucket" }, "s3", /no such bucket/],
    [{ S3_ENDPOINT: "http://127.0.0.1:50009" }, "s3", /refused/],
    [{ AZURE_STORAGE_CONTAINER: "no-such-container" }, "azure", /no such container/],
    [
      {
        AZURE_STORAGE_CONNECTION_STRING: clouds.env.AZURE_STORAGE_CONNECTION_STRING.replace(
          /AccountKey=..../,
          "AccountKey=AAAA",
        ),
      },
      "azure",
      /AZURE_STORAGE_CONNECTION_STRING/,
    ],
    [{ AZURE_STORAGE_CONNECTION_STRING: "nonsense" }, "azure", /no connection string/],
  ];
  for (const [env, provider, words] of cases) {
    await using other = await startServer({ env: { ...clouds.env, ...env } });
    const localPath = `${other.root}/file`;
    await Deno.writeTextFile(localPath, "x");
    for (
      const answer of await Promise.all([
        other.request("POST", `/cloud/${provider}/upload`, { cloudPath: "x", localPath }),
        other.request("GET", `/cloud/${provider}/list`),
        other.request("GET", `/cloud/${provider}/metadata?path=x`),
      ])
    ) {
      assertError(answer, 503, "CLOUD_ERROR");
      assert.match(answer.body.details, words);
      assert.doesNotMatch(answer.text, /AccountKey|devstoreaccount1;/);
    }
    const health = (await other.request("GET", "/health")).body;
    assert.equal(health.details[provider], "unavailable");
    assert.equal(health.status, "degraded");
  }
});
