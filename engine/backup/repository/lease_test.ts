import assert from "node:assert/strict";
import type { RepositoryAccess } from "./access.ts";
import { acquireLease, type Lease, type LeaseRequest } from "./lease.ts";
import { decodeLease, encodeLease, type LeaseMode, type LeaseRecord } from "./lease_object.ts";
import { FakeClock, settle } from "./lease_testing.ts";
import { ownIdentity } from "./process_identity.ts";
import { FaultyStore } from "../../cloud/faulty_store.ts";
import { MemoryStore } from "../../cloud/memory_store.ts";
import { StoreError } from "../../cloud/object_store.ts";
import type { EngineError } from "../../errors.ts";

const MINUTE = 60_000;

function accessOf(encrypted: boolean): RepositoryAccess {
  return {
    location: { type: "memory", name: "lease test" },
    repositoryId: "",
    encrypted,
    masterKey: encrypted ? new Uint8Array(32).fill(7) : null,
    chunking: { algorithm: "fastcdc", minimum: 1, average: 2, maximum: 4, normalization: 0, region: 4 },
    gearSeed: new Uint8Array(32),
  };
}

const access = accessOf(true);
const isConflict = (error: EngineError) => error.kind === "conflict";

class UnsteadyStore extends MemoryStore {
  isDown = false;

  override put(...parameters: Parameters<MemoryStore["put"]>): Promise<void> {
    return this.isDown ? Promise.reject(new StoreError("unavailable", "down")) : super.put(...parameters);
  }
}

function take(store: MemoryStore, clock: FakeClock, mode: LeaseMode, more: Partial<LeaseRequest> = {}): Promise<Lease> {
  return acquireLease(access, store, { mode, purpose: `${mode} test`, host: "here", clock, ...more });
}

Deno.test("shared leases go together, an exclusive one goes alone", async () => {
  const [store, clock] = [new MemoryStore(), new FakeClock()];
  {
    await using _first = await take(store, clock, "shared");
    await using _second = await take(store, clock, "shared");
    await assert.rejects(take(store, clock, "exclusive"), (error: EngineError) => {
      assert.equal(error.kind, "conflict");
      assert.match(error.details, /shared test on here \(process \d+\) since 2026-03-01/);
      return true;
    });
    assert.equal(store.snapshot().size, 2);
  }
  assert.equal(store.snapshot().size, 0);
  await using _exclusive = await take(store, clock, "exclusive");
  await assert.rejects(take(store, clock, "exclusive"), isConflict);
  await assert.rejects(take(store, clock, "shared"), isConflict);
  assert.equal(store.snapshot().size, 1);
});

Deno.test("of many that come at once at most one exclusive lease is held, and none beside shared ones", async () => {
  for (let round = 0; round < 20; round++) {
    const [store, clock] = [new MemoryStore(), new FakeClock()];
    const modes = Array.from({ length: 6 }, (_, i): LeaseMode => (i + round) % 3 === 0 ? "shared" : "exclusive");
    const outcomes = await Promise.allSettled(modes.map((mode) => take(store, clock, mode)));
    const held = outcomes.flatMap((outcome, i) => outcome.status === "fulfilled" ? [modes[i]] : []);
    assert(held.length <= 1 || held.every((mode) => mode === "shared"), held.join());
    for (const outcome of outcomes) if (outcome.status === "fulfilled") await outcome.value[Symbol.asyncDispose]();
    assert.equal(store.snapshot().size, 0);
    assert.equal(clock.timers, 0);
  }
});

Deno.test("a lease is renewed while its owner lives and expires when it does not", async () => {
  const [store, clock] = [new MemoryStore(), new FakeClock()];
  const elsewhere = { ...ownIdentity(), bootId: "another boot" };
  const lease = await take(store, clock, "exclusive", { host: "there", process: elsewhere });
  await clock.advance(60 * MINUTE);
  lease.assertValid();
  await assert.rejects(take(store, clock, "shared"), isConflict);

  clock.skip(8 * MINUTE);
  lease.assertValid();
  clock.skip(MINUTE);
  assert.throws(() => lease.assertValid(), /was lost/);
  assert(lease.signal.aborted);
  await assert.rejects(take(store, clock, "shared"), isConflict);
  clock.skip(MINUTE + 1);
  await using _next = await take(store, clock, "shared");
  assert.equal(store.snapshot().size, 1);
  await lease[Symbol.asyncDispose]();
  assert.equal(store.snapshot().size, 1);
});

Deno.test("an owner whose lease was removed is told", async () => {
  const [store, clock] = [new MemoryStore(), new FakeClock()];
  await using lease = await take(store, clock, "shared");
  for (const key of store.snapshot().keys()) await store.delete(key);
  lease.assertValid();
  await clock.advance(2 * MINUTE);
  assert.throws(() => lease.assertValid(), (error: EngineError) => /someone removed it/.test(error.details));
  assert.equal(store.snapshot().size, 0);
});

Deno.test("a store that fails for a while costs no lease, one that fails for long does", async () => {
  const [store, clock] = [new UnsteadyStore(), new FakeClock()];
  await using lease = await take(store, clock, "shared");
  store.isDown = true;
  await clock.advance(7 * MINUTE);
  lease.assertValid();
  store.isDown = false;
  await clock.advance(MINUTE);
  store.isDown = true;
  await clock.advance(8 * MINUTE);
  lease.assertValid();
  await clock.advance(4 * MINUTE);
  assert(lease.signal.aborted);
});

Deno.test("a process of this host that is gone, or another with its number, holds nothing", async () => {
  const [store, clock, own] = [new MemoryStore(), new FakeClock(), ownIdentity()];
  const child = new Deno.Command(Deno.execPath(), { args: ["eval", ""] }).spawn();
  await child.status;
  for (const gone of [{ ...own, pid: child.pid }, { ...own, pid: 1, startTime: "999999999999" }]) {
    await take(store, clock, "exclusive", { process: gone });
    await using _next = await take(store, clock, "exclusive");
  }
  const foreign = [{ ...own, namespace: "pid:[1]" }, { ...own, bootId: "another" }];
  for (const unseen of foreign) {
    await using _held = await take(store, clock, "exclusive", { process: { ...unseen, pid: child.pid } });
    await assert.rejects(take(store, clock, "shared"), isConflict);
  }
  await using _held = await take(store, clock, "exclusive", { host: "there", process: { ...own, pid: child.pid } });
  await assert.rejects(take(store, clock, "shared"), isConflict);
});

Deno.test("a lease that this process has left behind holds nothing", async () => {
  const [store, clock] = [new MemoryStore(), new FakeClock()];
  const lease = await take(store, clock, "exclusive");
  const left = store.snapshot();
  await lease[Symbol.asyncDispose]();
  for (const [key, bytes] of left) await store.put(key, bytes);
  await using _next = await take(store, clock, "exclusive");
  assert.equal(store.snapshot().size, 1);
});

Deno.test("a lease that cannot be read holds the repository until it must have expired", async () => {
  const [store, clock] = [new MemoryStore(), new FakeClock()];
  await store.put("leases/00000000-0000-4000-8000-000000000000", new Uint8Array(9));
  clock.skip(Date.now() - clock.now());
  await assert.rejects(take(store, clock, "shared"), isConflict);
  clock.skip(12 * MINUTE);
  await using _next = await take(store, clock, "shared");
  assert.equal(store.snapshot().size, 1);
});

Deno.test("acquiring fails at any operation without leaving a lease that counts", async () => {
  const clock = new FakeClock();
  for (const mode of ["before", "after", "half"] as const) {
    for (let at = 1;; at++) {
      const inner = new MemoryStore();
      const store = new FaultyStore(inner, { fault: { at, mode, isCrash: true } });
      const lease = await acquireLease(access, store, { mode: "exclusive", purpose: "t", host: "here", clock })
        .catch(() => undefined);
      if (store.failed === undefined) {
        await lease?.[Symbol.asyncDispose]();
        break;
      }
      if (mode === "half") clock.skip(Math.max(0, Date.now() + 12 * MINUTE - clock.now()));
      await using _next = await take(inner, clock, "exclusive");
    }
  }
  await settle();
  assert.equal(clock.timers, 0);
});

Deno.test("a lease object is read back as it was written and refused where it was changed or moved", () => {
  for (const  of of[accessOf(false), accessOf(true)]) {
    const record: LeaseRecord = {
      leaseId: "11111111-2222-4333-8444-555555555555",
      mode: "shared",
      purpose: "backup",
      host: "hôte",
      process: ownIdentity(),
      acquiredAt: "2026-03-01T12:00:00.000Z",
      expiresAt: "2026-03-01T12:10:00.000Z",
    };
    const bytes = encodeLease(of, record);
    const key = `leases/${record.leaseId}`;
    assert.deepEqual(decodeLease(of, key, bytes), record);
    assert.throws(() => decodeLease(of, "leases/other", bytes), /damaged/);
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at] ^= 1;
      assert.throws(() => decodeLease(of, key, changed), /damaged/);
      assert.throws(() => decodeLease(of, key, bytes.subarray(0, at)), /damaged/);
    }
  }
});
