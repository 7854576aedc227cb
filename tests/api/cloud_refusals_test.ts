/** Stores that refuse: wrong credentials and missing permission, each with words that help and no secret. */
import assert from "node:assert/strict";
import { createRandom } from "../harness/random.ts";
import { type Answer, type Server, startServer } from "../harness/server.ts";
import { S3Failure } from "../harness/strict_s3/failure.ts";
import { type S3Request, startStrictS3, type StrictS3 } from "../harness/strict_s3/server.ts";
import { assertError } from "../harness/sync.ts";

const BUCKET = "refusals";
let strict: StrictS3;
let server: Server;

Deno.test.beforeAll(async () => {
  strict = startStrictS3(BUCKET);
  server = await startServer({ env: strict.env });
});

Deno.test.afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await strict[Symbol.asyncDispose]();
});

type Ask = (at: Server) => Promise<Answer>;

/** Everything that can be asked of an object that is there, and of one of many parts. */
async function questions(at: Server): Promise<Record<string, Ask>> {
  await Deno.writeTextFile(`${at.root}/short`, "x");
  await Deno.writeFile(`${at.root}/long`, createRandom(1).bytes(20_000_000));
  const path = "there";
  return {
    upload: (to) => to.request("POST", "/cloud/s3/upload", { cloudPath: path, localPath: `${at.root}/short` }),
    "long upload": (to) => to.request("POST", "/cloud/s3/upload", { cloudPath: path, localPath: `${at.root}/long` }),
    download: (to) => to.request("POST", "/cloud/s3/download", { cloudPath: path, localPath: `${at.root}/down` }),
    list: (to) => to.request("GET", "/cloud/s3/list"),
    metadata: (to) => to.request("GET", `/cloud/s3/metadata?path=${path}`),
    link: (to) => to.request("GET", `/cloud/s3/shared-link?path=${path}`),
    delete: (to) => to.request("DELETE", `/cloud/s3/object?path=${path}`),
  };
}

Deno.test("wrong credentials of S3 are told as such, by everything that is asked", async () => {
  const wrong: Record<string, Record<string, string>> = {
    "another secret": { AWS_SECRET_ACCESS_KEY: "not-this-secret" },
    "another key": { AWS_ACCESS_KEY_ID: "not-this-key" },
  };
  for (const [name, env] of Object.entries(wrong)) {
    await using other = await startServer({ env: { ...strict.env, ...env } });
    for (const [what, ask] of Object.entries(await questions(other))) {
      const answer = await ask(other);
      assertError(answer, 503, "CLOUD_ERROR");
      // What is asked with HEAD is answered without words.
      const words = ["metadata", "download", "link", "delete"].includes(what)
        ? /permission|credentials/
        : /credentials are wrong/;
      assert.match(answer.body.details, words, `${name}: ${what}`);
      assert.match(answer.body.details, /AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY/, `${name}: ${what}`);
      assert.doesNotMatch(answer.text, /not-this-secret/);
    }
    const health = (await other.request("GET", "/health")).body;
    assert.deepEqual([health.status, health.details.s3], ["degraded", "unavailable"]);
    assert.doesNotMatch(await other.stderr(), /not-this-secret/);
  }
});

Deno.test("who lacks a permission is told so, and what is allowed still works", async () => {
  const all = await questions(server);
  const denied: Record<string, [refused: (request: S3Request) => boolean, what: string[]]> = {
    "may not write": [({ method }) => ["PUT", "POST"].includes(method), ["upload", "long upload"]],
    "may not write parts": [({ query }) => query.has("partNumber"), ["long upload"]],
    "may not complete": [({ method, query }) => method === "POST" && query.has("uploadId"), ["long upload"]],
    "may not read": [({ method, key }) => method === "GET" && key !== "", ["download"]],
    "may not list": [({ method, key }) => method === "GET" && key === "", ["list"]],
    "may not delete": [({ method, query }) => method === "DELETE" && !query.has("uploadId"), ["delete"]],
    "may nothing": [() => true, Object.keys(all)],
  };
  for (const [name, [refused, whats]] of Object.entries(denied)) {
    strict.refuse = () => undefined;
    assert.equal((await all.upload(server)).status, 200);
    const kept = strict.buckets.get(BUCKET)?.objects.get("there")?.etag;
    strict.refuse = (request) => refused(request) ? new S3Failure(403, "AccessDenied", "Access Denied") : undefined;
    for (const [what, ask] of Object.entries(all)) {
      const answer = await ask(server);
      if (whats.includes(what)) {
        assertError(answer, 503, "CLOUD_ERROR");
        assert.match(answer.body.details, /no permission.*AWS_ACCESS_KEY_ID/, `${name}: ${what}`);
        assert.equal(strict.buckets.get(BUCKET)?.objects.get("there")?.etag, kept, `${name}: ${what}`);
      } else if (what !== "delete") {
        assert.equal(answer.status, 200, `${name}: ${what}: ${answer.text}`);
        strict.refuse = () => undefined;
        if (what === "long upload") await all.upload(server);
        strict.refuse = (request) => refused(request) ? new S3Failure(403, "AccessDenied", "Access Denied") : undefined;
      }
    }
  }
  strict.refuse = () => undefined;
  assert.equal((await all.upload(server)).status, 200);
  assert.equal((await all["long upload"](server)).status, 200);
  const hidden = (await Array.fromAsync(Deno.readDir(server.root))).filter(({ name }) => name.startsWith("."));
  assert.deepEqual(hidden, []);
});
