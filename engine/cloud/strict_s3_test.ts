/** S3 as Amazon's service does it where the emulators are lenient. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { testObjectStore } from "./conformance_testing.ts";
import { type S3Location, StoreError } from "./object_store.ts";
import { PART } from "./part_size.ts";
import { s3Store } from "./s3_store.ts";
import { poll } from "../../tests/harness/poll.ts";
import { createRandom } from "../../tests/harness/random.ts";
import { Bucket } from "../../tests/harness/strict_s3/bucket.ts";
import { S3Failure } from "../../tests/harness/strict_s3/failure.ts";
import { type S3Request, startStrictS3, type StrictS3 } from "../../tests/harness/strict_s3/server.ts";

const FAST = { firstMs: 1 };
let strict: StrictS3;
let buckets = 0;

Deno.test.beforeAll(() => {
  strict = startStrictS3("bucket");
  for (const [name, value] of Object.entries(strict.env)) Deno.env.set(name, value);
});

Deno.test.afterAll(async () => await strict[Symbol.asyncDispose]());

/** An empty bucket. */
function location(): S3Location {
  const bucket = `bucket-${buckets++}`;
  strict.buckets.set(bucket, new Bucket());
  strict.refuse = () => undefined;
  return { type: "s3", bucket, prefix: "", endpoint: strict.url, forcePathStyle: true };
}

testObjectStore(
  "strict s3",
  () => Promise.resolve({ store: s3Store(location()), [Symbol.asyncDispose]: () => Promise.resolve() }),
  { large: 5 * 2 ** 30 + 1 },
);

const isKind = (kind: string) => (error: StoreError) => error instanceof StoreError && error.kind === kind;

for (const size of [10, PART + 10]) {
  const isLast = ({ method, query }: S3Request) => method === (size > PART ? "POST" : "PUT") && !query.has("uploads");

  Deno.test(`a key that must be free is decided by the service, ${size} bytes`, async () => {
    const store = s3Store(location(), FAST);
    const bucket = strict.buckets.get(`bucket-${buckets - 1}`) as Bucket;
    const sent: (string | null)[] = [];
    strict.refuse = (request) => {
      if (!isLast(request)) return undefined;
      sent.push(request.headers.get("if-none-match"));
      // Somebody else was quicker, after it was seen that the key is free.
      if (sent.length === 1) bucket.put("taken", { size: 1, md5: () => Buffer.alloc(16) } as never, new Headers());
      return undefined;
    };
    await assert.rejects(store.put("taken", new Uint8Array(size), { ifAbsent: true }), isKind("exists"));
    assert.deepEqual(sent, ["*"]);
    assert.equal((await store.head("taken")).size, 1);
    assert.equal(bucket.uploads.size, 0);
    await store.put("taken", new Uint8Array(size));
    assert.deepEqual(sent, ["*", null]);
  });

  Deno.test(`a conflict with somebody at the same key is tried again, ${size} bytes`, async () => {
    const store = s3Store(location(), FAST);
    const bucket = strict.buckets.get(`bucket-${buckets - 1}`) as Bucket;
    let conflicts = 0;
    strict.refuse = (request) => {
      if (!isLast(request) || conflicts === 2) return undefined;
      conflicts++;
      bucket.uploads.clear();
      return new S3Failure(409, "ConditionalRequestConflict", "A conflicting operation is under way.");
    };
    const bytes = createRandom(3).bytes(size);
    await store.put("contended", bytes, { ifAbsent: true });
    assert.equal(conflicts, 2);
    assert(Buffer.from(await store.read("contended")).equals(bytes));
    conflicts = -Infinity;
    await assert.rejects(store.put("never", bytes, { ifAbsent: true }), isKind("unavailable"));
  });

  Deno.test(`an answer that was lost is no refusal, ${size} bytes`, async () => {
    const store = s3Store(location(), FAST);
    const bucket = strict.buckets.get(`bucket-${buckets - 1}`) as Bucket;
    const bytes = createRandom(4).bytes(size);
    let isLost = false;
    strict.refuse = (request) => {
      if (!isLast(request) || isLost) return undefined;
      isLost = true;
      // It is done, and nobody hears of it.
      bucket.lose();
      return undefined;
    };
    await store.put("once", bytes, { ifAbsent: true });
    assert(isLost);
    assert(Buffer.from(await store.read("once")).equals(bytes));
  });
}

Deno.test("a link gives its object until it expires, and nothing else", async () => {
  const store = s3Store(location());
  await store.put("größe 1.txt", new Uint8Array(5));
  await store.put("other", new Uint8Array(6));
  const link = await store.link("größe 1.txt", 60, "text/plain");
  const answer = await fetch(link, { headers: { range: "bytes=1-2" } });
  assert.deepEqual([answer.status, (await answer.arrayBuffer()).byteLength], [206, 2]);
  assert.match(answer.headers.get("content-disposition") ?? "", /filename\*=UTF-8''gr%C3%B6%C3%9Fe%201\.txt/);
  const status = async (change: (url: URL) => void, method = "GET") => {
    const url = new URL(link);
    change(url);
    const response = await fetch(url, { method });
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await status(() => {}), 200);
  for (const method of ["PUT", "DELETE", "HEAD", "POST"]) assert.equal(await status(() => {}, method), 403, method);
  assert.equal(await status((url) => url.pathname = url.pathname.replace(/[^/]*$/, "other")), 403);
  const names = ["X-Amz-Expires", "X-Amz-Date", "X-Amz-Credential", "response-content-type"];
  for (const name of names) {
    const change = (url: URL) => url.searchParams.set(name, (url.searchParams.get(name) ?? "").replace(/\d|x/, "8"));
    assert.equal(await status(change), 403, name);
  }
  const short = await store.link("other", 1, undefined);
  await poll("the link's end", async () => {
    const response = await fetch(short);
    await response.body?.cancel();
    return response.status === 403;
  });
});

Deno.test("a key is no longer than S3 takes with the prefix before it", async () => {
  const store = s3Store({ ...location(), prefix: "prefix" });
  await store.put("x".repeat(1024 - 7), new Uint8Array(1));
  await assert.rejects(store.put("x".repeat(1024 - 6), new Uint8Array(1)), isKind("invalid"));
});
