/** Transfers as operations, against emulators: several of one object at once, interruptions, and what they leave. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { cleanJournals } from "./clean_journals.ts";
import { cloudOperations, type CloudServices, identityOf } from "./cloud_operations.ts";
import { Journal } from "./journal.ts";
import type { CloudOperations } from "./types.ts";
import type { UploadHeader } from "./upload.ts";
import { EngineError } from "../../errors.ts";
import type { JobContext } from "../../jobs/types.ts";
import type { CloudLocation } from "../object_store.ts";
import { openCloudStore } from "../open_store.ts";
import type { RemoteStore } from "../remote_store.ts";
import { azureClient } from "../azure_client.ts";
import { createPool } from "../../../workers/pool.ts";
import type { Bucket } from "../../../tests/harness/strict_s3/bucket.ts";
import { startStrictS3, type StrictS3 } from "../../../tests/harness/strict_s3/server.ts";
import { azureEnvironment, type Emulator, startAzure } from "../../../tests/harness/emulator.ts";
import { type FaultProxy, startFaultProxy } from "../../../tests/harness/fault_proxy.ts";
import { createRandom, testSeed } from "../../../tests/harness/random.ts";

const SIZE = 50_000_000;
const BUCKET = "transfers";
let strict: StrictS3;
let azure: Emulator;
let proxies: { s3: FaultProxy; azure: FaultProxy };

Deno.test.beforeAll(async () => {
  azure = await startAzure();
  strict = startStrictS3(BUCKET);
  for (const [name, value] of Object.entries(strict.env)) Deno.env.set(name, value);
  proxies = { s3: startFaultProxy(Number(new URL(strict.url).port)), azure: startFaultProxy(azure.port) };
  for (const [name, value] of Object.entries(azureEnvironment(proxies.azure, BUCKET))) Deno.env.set(name, value);
  await (await azureClient(BUCKET)).container.create();
});

Deno.test.afterAll(async () => {
  await proxies.s3[Symbol.asyncDispose]();
  await proxies.azure[Symbol.asyncDispose]();
  await strict[Symbol.asyncDispose]();
  await azure[Symbol.asyncDispose]();
});

/** Both stores from now on: slow ones give time to interfere. */
function setSpeed(type: "none" | "slow"): void {
  for (const proxy of Object.values(proxies)) {
    proxy.next = () => ({ type });
    proxy.cut();
  }
}

interface World {
  home: string;
  services: CloudServices & { pool: ReturnType<typeof createPool> };
  operations: CloudOperations;
  locations: Record<"s3" | "azure" | "local", CloudLocation>;
}

function test(name: string, body: (world: World) => Promise<void>): void {
  Deno.test(name, async () => {
    const home = await Deno.realPath(await Deno.makeTempDir());
    const services = { pool: createPool({ size: 2 }), journals: `${home}/journals` };
    try {
      await Deno.mkdir(services.journals);
      await body({
        home,
        services,
        operations: cloudOperations(services),
        locations: {
          s3: { type: "s3", bucket: BUCKET, prefix: home.slice(1), endpoint: proxies.s3.url, forcePathStyle: true },
          azure: { type: "azure", container: BUCKET, prefix: home.slice(1) },
          local: { type: "directory", path: `${home}/objects` },
        },
      });
    } finally {
      await services.pool.close();
      await Deno.remove(home, { recursive: true });
    }
  });
}

function job(onProgress: (bytesDone: number) => void = () => {}, signal = new AbortController().signal): JobContext {
  return { sessionId: "test", signal, progress: ({ figures }) => onProgress(Number(figures?.bytesDone ?? 0)) };
}

/** Runs a transfer until some of it is done. */
async function interrupt(run: (job: JobContext) => Promise<unknown>): Promise<void> {
  const controller = new AbortController();
  const stop = (done: number) => done > 0 && controller.abort(new DOMException("Interrupted", "AbortError"));
  setSpeed("slow");
  await assert.rejects(run(job(stop, controller.signal)), { name: "AbortError" });
  setSpeed("none");
}

async function makeFile(home: string, seed: number, size: number): Promise<{ path: string; bytes: Uint8Array }> {
  const bytes = createRandom(seed).bytes(size);
  const path = `${home}/file-${seed}`;
  await Deno.writeFile(path, bytes);
  return { path, bytes };
}

/** Keys of uploads in parts that were begun and not brought to an end. */
function begunInS3(): string[] {
  return [...(strict.buckets.get(BUCKET) as Bucket).uploads.values()].map(({ key }) => key);
}

for (const provider of ["s3", "azure", "local"] as const) {
  test(`${provider}: uploads of one object at once all succeed, and one of them is there, whole`, async (world) => {
    const { home, operations, locations } = world;
    const sizes = [SIZE, SIZE - 1, 100, 9_000_000];
    const files = await Promise.all(sizes.map((size, seed) => makeFile(home, seed, size)));
    const location = locations[provider];
    const results = await Promise.all(files.map(({ path }) => {
      return operations.upload({ location, key: "contended", path }, job());
    }));
    assert.deepEqual(results.map(({ size }) => size), sizes);
    const store = openCloudStore(location);
    const { etag } = await store.head("contended");
    const winner = results.findIndex((result) => result.eTag === etag);
    assert(Buffer.from(await store.read("contended")).equals(files[winner].bytes));
    assert.deepEqual(await Array.fromAsync(Deno.readDir(world.services.journals)), []);
    assert.deepEqual(begunInS3(), []);
  });

  test(`${provider}: a damaged object is not given out for whole`, async ({ home, operations, locations }) => {
    const location = locations[provider];
    const store = openCloudStore(location);
    const { path, bytes } = await makeFile(home, 7, 10_000_000);
    await operations.upload({ location, key: "object", path }, job());
    const { metadata } = await store.details("object");
    bytes[9_999_999] ^= 1;
    const read = (into: Uint8Array, at: number) => Promise.resolve(into.set(bytes.subarray(at, at + into.length)));
    await store.putSource("object", { size: bytes.length, read }, { metadata });
    const target = `${home}/down`;
    await assert.rejects(
      operations.download({ location, key: "object", path: target }, job()),
      (error: EngineError) => {
        return error.kind === "storage-unavailable" && /checksum/.test(error.details);
      },
    );
    const names = (await Array.fromAsync(Deno.readDir(home))).map(({ name }) => name);
    assert(!names.some((name) => name === "down" || name.startsWith(".")), names.join());
  });
}

for (const provider of ["s3", "azure"] as const) {
  test(`${provider}: an interrupted upload goes on only where it would become the same`, async (world) => {
    const { home, operations, locations } = world;
    const request = { location: locations[provider], key: "object", path: (await makeFile(home, 1, SIZE)).path };
    const upload = (metadata: Record<string, string>, context = job()) =>
      operations.upload({ ...request, metadata, contentType: "text/plain" }, context);
    await interrupt((context) => upload({ version: "1" }, context));
    const other = await upload({ version: "2" });
    assert.equal(other.resumed, false);
    const details = await operations.details(request.location, "object");
    assert.deepEqual(details.metadata, { version: "2" });
    await interrupt((context) => upload({ version: "3" }, context));
    assert.equal((await upload({ version: "3" })).resumed, true);
    assert.deepEqual((await operations.details(request.location, "object")).metadata, { version: "3" });
    assert.deepEqual(begunInS3(), []);
  });

  test(`${provider}: what was sent of an interrupted upload is thrown away by the store`, async (world) => {
    const { home, operations, locations } = world;
    const location = locations[provider];
    const { path, bytes } = await makeFile(home, 2, SIZE);
    await interrupt((context) => operations.upload({ location, key: "object", path }, context));
    const store = openCloudStore(location) as RemoteStore;
    await store.abortBegun("object", new Date(0), new Date(Date.now() + 60_000));
    await store.put("object", new Uint8Array(1));
    assert.equal((await operations.upload({ location, key: "object", path }, job())).bytesTransferred, SIZE);
    assert(Buffer.from(await store.read("object")).equals(bytes));
  });

  test(`${provider}: a file that changes while it goes up is a conflict, and leaves the old object`, async (world) => {
    const { home, operations, locations } = world;
    const location = locations[provider];
    const { path } = await makeFile(home, 3, SIZE);
    const store = openCloudStore(location);
    await store.put("object", new Uint8Array(9));
    const changes = [
      () => Deno.truncateSync(path, SIZE / 2),
      () => Deno.writeFileSync(path, new Uint8Array(1), { append: true }),
    ];
    for (const change of changes) {
      let isChanged = false;
      const context = job((done) => {
        if (done === 0 || isChanged) return;
        change();
        isChanged = true;
      });
      setSpeed("slow");
      const isConflict = (error: EngineError) => error.kind === "conflict" && error.details.includes(path);
      await assert.rejects(operations.upload({ location, key: "object", path }, context), isConflict);
      setSpeed("none");
      await Deno.writeFile(path, new Uint8Array(SIZE));
    }
    assert.equal((await store.head("object")).size, 9);
    assert.deepEqual(begunInS3(), []);
  });
}

test("uploads that nobody came back for are given up, also those that were cut at their beginning", async (world) => {
  const { home, operations, services, locations } = world;
  const location = locations.s3;
  const { path } = await makeFile(home, 4, SIZE);
  await interrupt((context) => operations.upload({ location, key: "left", path }, context));
  const store = openCloudStore(location) as RemoteStore;
  // The process died before it heard of the upload's name.
  const identity = identityOf("upload", { location, key: "cut", path });
  const header: UploadHeader = { kind: "upload", location, key: "cut", begunAt: Date.now() };
  await Journal.at<UploadHeader, never>(services.journals, identity).begin(header, []);
  await store.beginUpload("cut", {});
  await store.beginUpload("cut and another's", {});
  const fail = (message: string, error: unknown) => assert.fail(`${message}: ${error}`);
  await cleanJournals(services, fail);
  assert.equal(begunInS3().length, 3);
  await cleanJournals(services, fail, -1000);
  assert.deepEqual(begunInS3(), [`${home.slice(1)}/cut and another's`]);
  (strict.buckets.get(BUCKET) as Bucket).uploads.clear();
  assert.deepEqual(await Array.fromAsync(Deno.readDir(services.journals)), []);
});

test("a journal that cannot be written stops an upload before it begins", async (world) => {
  const { home, operations, services, locations } = world;
  const { path } = await makeFile(home, 5, SIZE);
  await Deno.remove(services.journals);
  const upload = operations.upload({ location: locations.s3, key: "object", path }, job());
  await assert.rejects(
    upload,
    (error: EngineError) => error.kind === "storage-unavailable" && /data directory/.test(error.details),
  );
  assert.deepEqual(begunInS3(), []);
});

test("an object of another program is compared with the MD5 that the store knows", async (world) => {
  const { home, operations, locations } = world;
  const location = locations.s3;
  const store = openCloudStore(location) as RemoteStore;
  const bytes = createRandom(6).bytes(5_000_000);
  await store.put("foreign", bytes);
  const path = `${home}/down`;
  await operations.download({ location, key: "foreign", path }, job());
  assert(Buffer.from(await Deno.readFile(path)).equals(bytes));
});

for (const provider of ["s3", "azure"] as const) {
  test(`${provider}: whatever happens on the way, what arrives is what was sent`, async (world) => {
    const { home, operations, locations } = world;
    const location = locations[provider];
    const random = createRandom(testSeed(`${provider} transfers`));
    const proxy = proxies[provider];
    const outcomes = { done: 0, failed: 0 };
    for (let round = 0; round < 8; round++) {
      const { path, bytes } = await makeFile(home, round, [1000, 3_000_000, 30_000_000][random.below(3)]);
      const sum = sha256(bytes);
      const target = `${path}-down`;
      proxy.cut();
      proxy.next = () => {
        if (random.below(100) < 60) return { type: "none" };
        const after = random.oneIn(2) ? random.below(3_000) : random.below(9_000_000);
        const direction = random.oneIn(2) ? "up" as const : "down" as const;
        // Not in the headers: nothing protects those on a plain connection.
        if (random.oneIn(2)) return { type: "damage", direction, after: 20_000 + after };
        return { type: "reset", direction, after };
      };
      const steps = [
        () => operations.upload({ location, key: "object", path }, job()),
        () => operations.download({ location, key: "object", path: target }, job()),
      ];
      for (const step of steps) {
        for (let attempt = 0; attempt < 20; attempt++) {
          try {
            await step();
            outcomes.done++;
            break;
          } catch (error) {
            assert(error instanceof EngineError && error.kind === "storage-unavailable", String(error));
            outcomes.failed++;
            await assert.rejects(Deno.lstat(target), Deno.errors.NotFound);
          }
        }
      }
      assert.equal(sha256(await Deno.readFile(target)), sum, `round ${round}`);
      setSpeed("none");
      assert.equal(sha256(await openCloudStore(location).read("object")), sum, `round ${round}`);
    }
    assert.equal(outcomes.done, 16);
  });
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
