/** Whether this server can do its work, measured when asked. */
import process from "node:process";
import {
  AT_FDCWD,
  close,
  type Descriptor,
  openAbsolute,
  type Stat,
  statIfPresent,
  statOf,
} from "../engine/posix/mod.ts";
import { addressOf, libc } from "../engine/posix/libc.ts";

export interface HealthReport {
  status: "healthy" | "degraded" | "unhealthy";
  timestamp: string;
  details: { database: DatabaseHealth; storage: StorageHealth; memory: MemoryHealth } & CloudHealth;
}

/** Of each object store that is configured. */
export type CloudHealth = { [Provider in "s3" | "azure"]?: "available" | "unavailable" };

export type DatabaseHealth = "connected" | "unavailable";
export type StorageHealth = "available" | "low" | "full" | "read-only" | "missing";
export type MemoryHealth = "normal" | "low";

const MIB = 1024 * 1024;
const LOW_BYTES = 512 * MIB;
/** Below this the state can hardly be written. */
const FULL_BYTES = 16 * MIB;
const PING_MS = 1_000;
/** Object stores ask money for answers, so theirs are shared for longer. */
const CLOUD_SHARE_MS = 10_000;
/** How old a measurement may be to answer another question. */
export const SHARE_MS = 10;

/** Indices into `struct statfs` as 64-bit words (`asm-generic/statfs.h`). */
const BLOCK_SIZE = 1;
const BLOCKS_AVAILABLE = 4;
const FLAGS = 10;
const ST_RDONLY = 1n;

export interface HealthSources {
  /** There already, and absolute. */
  dataDir: string;
  /** Rejects where the database does not answer. */
  ping(): Promise<void>;
  /** Asks each configured object store, within a few seconds; rejects where it cannot be used. */
  clouds?: { [Provider in "s3" | "azure"]?: () => Promise<void> };
}

/**
 * Every measurement is a question to the kernel's memory, a few µs each, and none waits for the disk: so it may run on the
 * server's thread, at every request.
 */
export class HealthProbe implements Disposable {
  readonly #dataDir: string;
  readonly #ping: () => Promise<void>;
  readonly #directory: Descriptor;
  readonly #identity: string;
  /** Of this process's control group; Infinity where there is none. */
  readonly #memoryLimit = process.constrainedMemory() || Infinity;
  readonly #uid = Deno.uid();
  readonly #statfs = new BigUint64Array(32);
  readonly #statfsAddress = addressOf(this.#statfs.buffer);
  #latest: { askedAt: number; report: HealthReport | Promise<HealthReport> } | undefined;
  #pinging: Promise<DatabaseHealth> | undefined;
  readonly #clouds: [provider: "s3" | "azure", probe: () => Promise<void>][];
  #cloudHealth: { askedAt: number; health: Promise<CloudHealth> } | undefined;

  constructor(sources: HealthSources) {
    this.#dataDir = sources.dataDir;
    this.#ping = () => sources.ping();
    this.#clouds = Object.entries(sources.clouds ?? {}) as [("s3" | "azure"), () => Promise<void>][];
    this.#directory = openAbsolute(sources.dataDir);
    this.#identity = statOf(this.#directory).identity;
  }

  /** Callers within {@link SHARE_MS} of each other share one measurement, so that a flood of questions costs little. */
  measure(): HealthReport | Promise<HealthReport> {
    const now = Date.now();
    const age = now - (this.#latest?.askedAt ?? -Infinity);
    // Below 0 the system's clock was set back.
    if (this.#latest !== undefined && age >= 0 && age < SHARE_MS) return this.#latest.report;
    const report = this.#measure();
    const latest: { askedAt: number; report: HealthReport | Promise<HealthReport> } = { askedAt: now, report };
    this.#latest = latest;
    return report.then((known) => latest.report = known);
  }

  async #measure(): Promise<HealthReport> {
    const database = await (this.#pinging ??= this.#measureDatabase());
    const clouds = this.#clouds.length === 0 ? {} : await this.#measureClouds();
    const details = { database, storage: this.#measureStorage(), memory: this.#measureMemory(), ...clouds };
    return { status: overall(details), timestamp: new Date().toISOString(), details };
  }

  [Symbol.dispose](): void {
    close(this.#directory);
  }

  async #measureDatabase(): Promise<DatabaseHealth> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<DatabaseHealth>((resolve) => timer = setTimeout(resolve, PING_MS, "unavailable"));
    try {
      return await Promise.race([this.#ping().then((): DatabaseHealth => "connected"), late]);
    } catch {
      // That it does not answer is the finding itself.
      return "unavailable";
    } finally {
      clearTimeout(timer);
      this.#pinging = undefined;
    }
  }

  #measureClouds(): Promise<CloudHealth> {
    const now = performance.now();
    if (this.#cloudHealth !== undefined && now - this.#cloudHealth.askedAt < CLOUD_SHARE_MS) {
      return this.#cloudHealth.health;
    }
    const health = Promise.all(this.#clouds.map(async ([provider, probe]) => {
      // That it does not answer is the finding itself.
      const isThere = await probe().then(() => true, () => false);
      return [provider, isThere ? "available" : "unavailable"] as const;
    })).then((entries): CloudHealth => Object.fromEntries(entries));
    this.#cloudHealth = { askedAt: now, health };
    return health;
  }

  #measureStorage(): StorageHealth {
    const now = statIfPresent(AT_FDCWD, this.#dataDir);
    if (now?.identity !== this.#identity) return "missing";
    if (libc.fstatfs(this.#directory, this.#statfsAddress) < 0) return "missing";
    if ((this.#statfs[FLAGS] & ST_RDONLY) !== 0n || !this.#mayWrite(now)) return "read-only";
    const free = Number(this.#statfs[BLOCKS_AVAILABLE] * this.#statfs[BLOCK_SIZE]);
    if (free < FULL_BYTES) return "full";
    return free < LOW_BYTES ? "low" : "available";
  }

  #mayWrite(directory: Stat): boolean {
    if (this.#uid === 0 || this.#uid !== directory.uid) return true;
    return (directory.permissions & 0o300) === 0o300;
  }

  /** Low where less than a twentieth is left of what this server may use. */
  #measureMemory(): MemoryHealth {
    const { total, available } = Deno.systemMemoryInfo();
    const limited = this.#memoryLimit < total;
    const left = limited ? Math.min(available, this.#memoryLimit - Deno.memoryUsage().rss) : available;
    return left < (limited ? this.#memoryLimit : total) / 20 ? "low" : "normal";
  }
}

function overall({ database, storage, memory, s3, azure }: HealthReport["details"]): HealthReport["status"] {
  if (database !== "connected") return "unhealthy";
  if (storage !== "available" && storage !== "low") return "unhealthy";
  const lacks = storage === "low" || memory === "low" || s3 === "unavailable" || azure === "unavailable";
  return lacks ? "degraded" : "healthy";
}
