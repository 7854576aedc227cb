/** The distant stores against programs that speak their protocols. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type Provided, testObjectStore } from "./conformance_testing.ts";
import { StoreError, type StoreLocation } from "./object_store.ts";
import { azureClient } from "./azure_client.ts";
import { azureStore } from "./azure_store.ts";
import { openStore } from "./open_store.ts";
import { PART } from "./part_size.ts";
import type { RemoteStore } from "./remote_store.ts";
import { s3Client } from "./s3_client.ts";
import { s3Store } from "./s3_store.ts";
import { createRandom } from "../../tests/harness/random.ts";
import { azureEnvironment, type Emulator, s3Environment, startAzure, startS3 } from "../../tests/harness/emulator.ts";

const BUCKET = "syncline-test";
let s3: Emulator;
let azure: Emulator;
let places = 0;

Deno.test.beforeAll(async () => {
  [s3, azure] = await Promise.all([startS3(), startAzure()]);
  for (const [name, value] of Object.entries({ ...s3Environment(s3, BUCKET), ...azureEnvironment(azure, BUCKET) })) {
    Deno.env.set(name, value);
  }
  const { sdk, client } = await s3Client(s3Location(""));
  await client.send(new sdk.CreateBucketCommand({ Bucket: BUCKET }));
  await (await azureClient(BUCKET)).container.create();
});

Deno.test.afterAll(async () => {
  await Promise.all([s3[Symbol.asyncDispose](), azure[Symbol.asyncDispose]()]);
});

const s3Location = (prefix: string, bucket = BUCKET) =>
  ({ type: "s3", bucket, prefix, endpoint: s3.url, forcePathStyle: true }) as const;
const azureLocation = (prefix: string, container = BUCKET) => ({ type: "azure", container, prefix }) as const;

/** A bucket of its own. */
function provide(open: (bucket: string) => Promise<RemoteStore>): () => Promise<Provided & { store: RemoteStore }> {
  return async () => ({ store: await open(`bucket-${places++}`), [Symbol.asyncDispose]: () => Promise.resolve() });
}

const inS3 = provide(async (bucket) => {
  const { sdk, client } = await s3Client(s3Location(""));
  await client.send(new sdk.CreateBucketCommand({ Bucket: bucket }));
  return s3Store(s3Location("", bucket));
});
const inAzure = provide(async (container) => {
  await (await azureClient(container)).container.create();
  return azureStore(azureLocation("", container));
});

// The emulators keep everything in memory. S3's passes over `If-None-Match`, as services do that do not know it.
testObjectStore("s3", inS3, { isConditional: false, large: 200_000_001 });
testObjectStore("azure", inAzure, { refused: /\\/, large: 200_000_001 });

for (const [name, open, location] of [["s3", inS3, s3Location], ["azure", inAzure, azureLocation]] as const) {
  Deno.test(`${name}: an object of many parts is whole, from memory, a stream and a writer`, async () => {
    await using provided = await open();
    const { store } = provided;
    const bytes = createRandom(7).bytes(5 * PART + 12_345);
    await store.put("bytes", bytes);
    await store.put("stream", new Blob([bytes]).stream());
    await using writer = await store.writer();
    await new Blob([bytes]).stream().pipeTo(writer.writable);
    await writer.commit("written");
    for (const key of ["bytes", "stream", "written"]) {
      assert(Buffer.from(await store.read(key)).equals(bytes), key);
      const streamed = new Uint8Array(await new Response(await store.get(key) as BodyInit).arrayBuffer());
      assert(Buffer.from(streamed).equals(bytes), key);
      const range = { offset: PART - 5, length: PART + 10 };
      assert(Buffer.from(await store.read(key, range)).equals(bytes.subarray(PART - 5, 2 * PART + 5)), key);
    }
  });

  Deno.test(`${name}: a location of another prefix sees nothing of this one`, async () => {
    const [one, other] = [openStore(location("one/deep")), openStore(location("one"))];
    await one.put("object", new Uint8Array(3));
    assert.deepEqual(await Array.fromAsync(other.list("deep/")).then((all) => all.map(({ key }) => key)), [
      "deep/object",
    ]);
    assert.deepEqual((await Array.fromAsync(one.list(""))).map(({ key }) => key), ["object"]);
    assert.deepEqual(await Array.fromAsync(openStore(location("one/dee")).list("")), []);
  });

  Deno.test(`${name}: a missing bucket is told from a missing object`, async () => {
    const store = openStore(location("", "no-such-bucket"));
    const isMissing = (error: StoreError) =>
      error.kind === "unavailable" && /no such (bucket|container)/.test(error.message);
    await assert.rejects(store.put("k", new Uint8Array(1)), isMissing);
    await assert.rejects(store.read("k"), isMissing);
    await assert.rejects(Array.fromAsync(store.list("")), isMissing);
    await assert.rejects((store as RemoteStore).probe(5000), isMissing);
    await (openStore(location("")) as RemoteStore).probe(5000);
  });

  Deno.test(`${name}: metadata, content type and a link to read with`, async () => {
    await using provided = await open();
    const { store } = provided;
    const metadata = { "backup-type": "full", version: "1.0" };
    for (const size of [5, PART + 1]) {
      const bytes = createRandom(size).bytes(size);
      const source = {
        size,
        read: (into: Uint8Array, at: number) => Promise.resolve(into.set(bytes.subarray(at, at + into.length))),
      };
      await store.putSource("dir/größe +%.txt", source, { contentType: "text/plain", metadata });
      const details = await store.details("dir/größe +%.txt");
      assert.equal(details.contentType, "text/plain");
      assert.deepEqual(details.metadata, metadata);
      const answer = await fetch(await store.link("dir/größe +%.txt", 60, "text/plain"));
      assert.equal(answer.status, 200);
      assert(Buffer.from(await answer.arrayBuffer()).equals(bytes));
      assert.equal(answer.headers.get("content-type"), "text/plain");
    }
  });
}

const unreachable: Record<string, StoreLocation> = {
  "refused": { type: "s3", bucket: "b", prefix: "", endpoint: "http://127.0.0.1:50009", forcePathStyle: true },
  "no host": { type: "s3", bucket: "b", prefix: "", endpoint: "http://nowhere.invalid", forcePathStyle: true },
};

for (const [name, location] of Object.entries(unreachable)) {
  Deno.test(`s3: an endpoint that cannot be reached: ${name}`, async () => {
    const store = s3Store(location as Extract<StoreLocation, { type: "s3" }>, { attempts: 2, firstMs: 1 });
    await assert.rejects(store.read("k"), (error: StoreError) => error.kind === "unavailable" && error.retry);
  });
}
