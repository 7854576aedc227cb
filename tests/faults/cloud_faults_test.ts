/** Object stores over connections that fail: each transfer ends right or fails clearly, in bounded time. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { azureStore } from "../../engine/cloud/azure_store.ts";
import { StoreError } from "../../engine/cloud/object_store.ts";
import { bytesBody } from "../../engine/cloud/body.ts";
import type { RequestOptions } from "../../engine/cloud/requests.ts";
import { s3Store } from "../../engine/cloud/s3_store.ts";
import type { RemoteStore } from "../../engine/cloud/remote_store.ts";
import { BUCKET, type CloudEmulators, startClouds } from "../harness/cloud.ts";
import { azureEnvironment } from "../harness/emulator.ts";
import { startStrictS3, type StrictS3 } from "../harness/strict_s3/server.ts";
import { type ConnectionFault, type FaultProxy, startFaultProxy } from "../harness/fault_proxy.ts";
import { createRandom, type Random, testSeed } from "../harness/random.ts";

/** Schedules of each store. */
const SCHEDULES = 50;
const FAST = { limitMs: 1_000, attempts: 6, firstMs: 5, slowest: 8 << 20 };
/** A transfer makes few requests, each of a few tries within their limit. */
const LIMIT_MS = 60_000;

let clouds: CloudEmulators;
let strict: StrictS3;
const proxies: { s3?: FaultProxy; azure?: FaultProxy; strict?: FaultProxy } = {};

Deno.test.beforeAll(async () => {
  clouds = await startClouds();
  // The emulator takes no part of this length.
  strict = startStrictS3(BUCKET);
  for (const [name, value] of Object.entries(strict.env)) Deno.env.set(name, value);
  proxies.s3 = startFaultProxy(clouds.s3.port);
  proxies.strict = startFaultProxy(Number(new URL(strict.url).port));
  proxies.azure = startFaultProxy(clouds.azure.port);
});

Deno.test.afterAll(async () => {
  await proxies.strict?.[Symbol.asyncDispose]();
  await strict[Symbol.asyncDispose]();
  await proxies.s3?.[Symbol.asyncDispose]();
  await proxies.azure?.[Symbol.asyncDispose]();
  await clouds[Symbol.asyncDispose]();
});

function fault(random: Random, rate: number): ConnectionFault {
  if (random.below(100) >= rate) return { type: "none" };
  const kinds = ["reset", "reset", "stall", "damage", "status", "slow"] as const;
  const type = kinds[random.below(kinds.length)];
  if (type === "slow") return { type };
  if (type === "status") return { type, status: random.oneIn(2) ? 500 : 503, retryAfter: 0 };
  const after = random.oneIn(2) ? random.below(3_000) : random.below(6_000_000);
  // Not in the headers: nothing protects those on a plain connection.
  return { type, direction: random.oneIn(2) ? "up" : "down", after: type === "damage" ? 20_000 + after : after };
}

function s3At(proxy: FaultProxy | undefined, prefix: string, options: RequestOptions): RemoteStore {
  const endpoint = proxy?.url as string;
  return s3Store({ type: "s3", bucket: BUCKET, prefix, endpoint, forcePathStyle: true }, options);
}

const stores: Record<"s3" | "azure" | "strict", (prefix: string, options?: RequestOptions) => RemoteStore> = {
  s3: (prefix, options = FAST) => s3At(proxies.s3, prefix, options),
  strict: (prefix, options = FAST) => s3At(proxies.strict, prefix, options),
  azure: (prefix, options = FAST) => {
    // The store takes its place from the environment, at its first request.
    const { url } = proxies.azure as FaultProxy;
    Deno.env.set("AZURE_STORAGE_CONNECTION_STRING", azureEnvironment({ url }, BUCKET).AZURE_STORAGE_CONNECTION_STRING);
    return azureStore({ type: "azure", container: BUCKET, prefix }, options);
  },
};

for (const kind of ["s3", "azure"] as const) {
  Deno.test(`${kind}: ${SCHEDULES} random schedules of faults`, async () => {
    const random = createRandom(testSeed(`${kind} faults`));
    const proxy = proxies[kind] as FaultProxy;
    const store = stores[kind]("faults");
    let [done, failed] = [0, 0];
    const seen = new Set<string>();
    for (let schedule = 0; schedule < SCHEDULES; schedule++) {
      const rate = random.below(90);
      const [old, fresh] = [random.bytes(50_000), random.bytes([100, 400_000, 9_000_000][random.below(3)])];
      const key = `object ${schedule}`;
      proxy.next = () => ({ type: "none" });
      proxy.cut();
      await store.put(key, old);
      proxy.cut();
      proxy.next = () => {
        let chosen = fault(random, rate);
        if (chosen.type === "damage" && !isDamageSeen) chosen = { type: "none" };
        seen.add(chosen.type);
        return chosen;
      };
      let isDamageSeen = true;
      const startedAt = performance.now();
      const isPut = await succeeds(store.put(key, fresh));
      // Nothing tells a store what a range must be: whoever reads has a checksum of his own.
      isDamageSeen = false;
      proxy.cut();
      const read = isPut ? await resultOf(store.read(key)) : undefined;
      const streamed = isPut ? await resultOf(readAll(store, key)) : undefined;
      assert(performance.now() - startedAt < 3 * LIMIT_MS, "it took too long");
      proxy.next = () => ({ type: "none" });
      proxy.cut();
      const there = await store.read(key);
      if (isPut) assert(Buffer.from(there).equals(fresh), `schedule ${schedule}: what was put is not there`);
      else {
        // Whose answer was lost may have been done all the same.
        const isWhole = [old, fresh].some((bytes) => Buffer.from(there).equals(bytes));
        assert(isWhole, `schedule ${schedule}: half an object`);
      }
      for (const bytes of [read, streamed]) {
        if (bytes !== undefined) assert(Buffer.from(bytes).equals(fresh), `schedule ${schedule}: damaged on its way`);
      }
      if (isPut) done++;
      else failed++;
    }
    assert.deepEqual([...seen].sort(), ["damage", "none", "reset", "slow", "stall", "status"]);
    assert(done > failed, `${done} done, ${failed} failed`);
  });
}

for (const kind of ["strict", "azure"] as const) {
  Deno.test(`${kind}: an upload that stalls is noticed soon, and one that is slow is not taken for it`, async () => {
    const proxy = proxies[kind] as FaultProxy;
    const bytes = createRandom(5).bytes(32 << 20);
    // The first try may find the connection cut.
    const limits = { limitMs: 2_000, slowest: 1 << 20, attempts: 2, firstMs: 1 };
    const store = stores[kind]("stalls", limits);
    const upload = async (key: string) => {
      proxy.cut();
      const upload = await store.beginUpload(key, {});
      const tag = await store.putPart(upload, 1, bytesBody(bytes));
      await store.completeUpload(upload, [tag], {});
    };
    proxy.next = () => ({ type: "stall", direction: "up", after: 10 << 20 });
    const startedAt = performance.now();
    await assert.rejects(upload("stalled"), (error: StoreError) => /no answer for/.test(error.message));
    const took = performance.now() - startedAt;
    assert(took > 2_000 && took < 12_000, `${took} ms`);
    // Each piece comes in time, all of them do not.
    proxy.next = () => ({ type: "slow", pauseMs: 3 });
    const slowAt = performance.now();
    await upload("slow");
    assert(performance.now() - slowAt > 5_000, "too quick to show anything");
    proxy.next = () => ({ type: "none" });
    proxy.cut();
    assert(Buffer.from(await store.read("slow")).equals(bytes));
  });
}

async function readAll(store: RemoteStore, key: string): Promise<Uint8Array> {
  const pieces = await Array.fromAsync(await store.get(key));
  return Buffer.concat(pieces);
}

async function succeeds(action: Promise<unknown>): Promise<boolean> {
  try {
    await action;
    return true;
  } catch (error) {
    assert(error instanceof StoreError, `not a clear failure: ${error instanceof Error ? error.stack : error}`);
    return false;
  }
}

async function resultOf<T>(action: Promise<T>): Promise<T | undefined> {
  let result: T | undefined;
  await succeeds(action.then((value) => result = value));
  return result;
}
