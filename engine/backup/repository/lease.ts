import type { RepositoryAccess } from "./access.ts";
import { decodeLease, encodeLease, type LeaseMode, leaseObject, type LeaseRecord, LEASES } from "./lease_object.ts";
import { isRunning, ownIdentity, type ProcessIdentity } from "./process_identity.ts";
import { type ObjectInfo, type ObjectStore, StoreError } from "../../cloud/object_store.ts";
import { EngineError } from "../../errors.ts";

const LIFE_MS = 600_000;
const RENEW_MS = 120_000;
/** So long before its end nothing may be done any more under a lease, and so much may clocks differ. */
const MARGIN_MS = 60_000;
/** Of two that come at the same moment both give way; these tries at random moments part them. */
const ATTEMPTS = 3;

/** Time as leases see it; tests have their own. */
export interface LeaseClock {
  now(): number;
  /** Calls an action at intervals until the returned function is called. Keeps no process alive. */
  every(milliseconds: number, action: () => void): () => void;
  sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void>;
}

export interface LeaseRequest {
  mode: LeaseMode;
  /** For who is turned away: `backup`, `prune`, … */
  purpose: string;
  host: string;
  signal?: AbortSignal;
  clock?: LeaseClock;
  /** For tests: another process than this one. */
  process?: ProcessIdentity;
}

/** A right to use a repository, renewed until it is disposed of. */
export interface Lease extends AsyncDisposable {
  readonly leaseId: string;
  /** Fires when the lease is lost, with the reason. */
  readonly signal: AbortSignal;
  /** To be called before a version is written and before anything is deleted. @throws EngineError `backup-failed` */
  assertValid(): void;
}

/**
 * Leases of this process that are in use: another one that names this process was left behind by a failure. So leases are
 * only taken on the main thread.
 */
const held = new Set<string>();

/**
 * Takes a lease (FORMAT section 10) and removes those whose owners are dead.
 * @throws EngineError `conflict` with who holds the repository; StoreError
 */
export async function acquireLease(
  access: RepositoryAccess,
  store: ObjectStore,
  request: LeaseRequest,
): Promise<Lease> {
  const { clock = SYSTEM_CLOCK, process = ownIdentity(), signal } = request;
  for (let attempt = 1;; attempt++) {
    const lease = new HeldLease(access, store, { ...request, clock, process });
    let other = await conflicting(lease);
    if (other === undefined) {
      await lease.begin();
      try {
        other = await conflicting(lease);
      } catch (error) {
        await lease[Symbol.asyncDispose]();
        throw error;
      }
      if (other === undefined) return lease;
      await lease[Symbol.asyncDispose]();
    }
    if (attempt === ATTEMPTS) throw inUse(other);
    await clock.sleep(100 + Math.random() * 300, signal);
  }
}

class HeldLease implements Lease {
  readonly leaseId = crypto.randomUUID();
  readonly key = leaseObject(this.leaseId);
  readonly #lost = new AbortController();
  #expiresAt = 0;
  #acquiredAt = "";
  #stop = () => {};
  #renewal: Promise<void> = Promise.resolve();
  #isDisposed = false;

  constructor(
    readonly access: RepositoryAccess,
    readonly store: ObjectStore,
    readonly request: LeaseRequest & { clock: LeaseClock; process: ProcessIdentity },
  ) {}

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  async begin(): Promise<void> {
    this.#acquiredAt = new Date(this.request.clock.now()).toISOString();
    held.add(this.leaseId);
    try {
      await this.#write();
    } catch (error) {
      // It may be there all the same.
      await this[Symbol.asyncDispose]();
      throw error;
    }
    this.#stop = this.request.clock.every(RENEW_MS, () => {
      this.#renewal = this.#renewal.then(() => this.#renew());
    });
  }

  async #write(): Promise<void> {
    const { mode, purpose, host, process, clock, signal } = this.request;
    const expiresAt = clock.now() + LIFE_MS;
    const record: LeaseRecord = {
      leaseId: this.leaseId,
      mode,
      purpose,
      host,
      process,
      acquiredAt: this.#acquiredAt,
      expiresAt: new Date(expiresAt).toISOString(),
    };
    await this.store.put(this.key, encodeLease(this.access, record), { signal });
    this.#expiresAt = expiresAt;
  }

  async #renew(): Promise<void> {
    if (this.#isDisposed || this.signal.aborted) return;
    try {
      this.assertValid();
      await this.store.head(this.key);
      await this.#write();
    } catch (error) {
      // A store that fails now and then is asked again, until the lease has come to its end.
      const isGone = error instanceof StoreError && error.kind === "not-found";
      if (isGone) this.#lost.abort(lost("someone removed it", error));
      else if (!this.#isInTime()) this.#lost.abort(lost("it could not be renewed in time", error));
    }
  }

  #isInTime(): boolean {
    return this.request.clock.now() < this.#expiresAt - MARGIN_MS;
  }

  assertValid(): void {
    if (!this.signal.aborted && !this.#isInTime()) this.#lost.abort(lost("it was not renewed in time"));
    this.signal.throwIfAborted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#stop();
    await this.#renewal;
    held.delete(this.leaseId);
    try {
      await this.store.delete(this.key);
    } catch (error) {
      // What stays is dead to this process at once, to others when it expires: no reason to fail what was done under it.
      if (!(error instanceof StoreError)) throw error;
    }
  }
}

/** Somebody alive who is in the way; dead leases are removed in passing. */
async function conflicting(mine: HeldLease): Promise<LeaseRecord | undefined> {
  const { access, store, request } = mine;
  let found: LeaseRecord | undefined;
  for await (const info of store.list(LEASES, { signal: request.signal })) {
    if (info.key === mine.key) continue;
    const record = await readLease(access, store, info, request.clock.now());
    if (record === undefined) continue;
    if (record === "dead" || isDead(record, mine)) await store.delete(info.key);
    else if (record.mode === "exclusive" || request.mode === "exclusive") found ??= record;
  }
  return found;
}

async function readLease(
  access: RepositoryAccess,
  store: ObjectStore,
  info: ObjectInfo,
  now: number,
): Promise<LeaseRecord | "dead" | undefined> {
  try {
    return decodeLease(access, info.key, await store.read(info.key));
  } catch (error) {
    if (error instanceof StoreError && error.kind === "not-found") return undefined;
    if (!(error instanceof EngineError && error.kind === "damaged")) throw error;
    // Nobody can renew it unnoticed, so its age tells.
    const expiresAt = Date.parse(info.modified) + LIFE_MS;
    return now > expiresAt + MARGIN_MS ? "dead" : unreadable(info.key, expiresAt);
  }
}

function unreadable(key: string, expiresAt: number): LeaseRecord {
  const at = new Date(expiresAt - LIFE_MS).toISOString();
  return {
    leaseId: key.slice(LEASES.length),
    mode: "exclusive",
    purpose: "unknown (its lease cannot be read)",
    host: "unknown",
    process: { pid: 0, startTime: "", bootId: "", namespace: "" },
    acquiredAt: at,
    expiresAt: new Date(expiresAt).toISOString(),
  };
}

function isDead(record: LeaseRecord, { request }: HeldLease): boolean {
  if (request.clock.now() > Date.parse(record.expiresAt)) return true;
  if (record.host !== request.host) return false;
  if (isSame(record.process, request.process)) return !held.has(record.leaseId);
  return isRunning(record.process, request.process) === false;
}

function isSame(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.startTime === b.startTime && a.bootId === b.bootId && a.namespace === b.namespace;
}

function inUse(by: LeaseRecord): EngineError {
  const who = `${by.purpose} on ${by.host} (process ${by.process.pid}) since ${by.acquiredAt}`;
  return new EngineError("conflict", "The backup repository is in use", `${who}, its lease ends at ${by.expiresAt}`);
}

function lost(why: string, cause?: unknown): EngineError {
  return new EngineError("backup-failed", "The lease of the backup repository was lost", why, { cause });
}

const SYSTEM_CLOCK: LeaseClock = {
  now: () => Date.now(),
  every(milliseconds, action) {
    const timer = setInterval(action, milliseconds);
    timer.unref();
    return () => clearInterval(timer);
  },
  sleep: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", end);
        resolve();
      }, milliseconds);
      if (signal?.aborted) end();
      else signal?.addEventListener("abort", end, { once: true });
    }),
};
