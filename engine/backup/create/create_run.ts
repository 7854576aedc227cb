import type { RepositoryAccess } from "../repository/access.ts";
import { writeIndexSegment } from "../packs/index_segment.ts";
import type { Lease } from "../repository/lease.ts";
import type { StoredPack } from "../packs/pack_table.ts";
import type { PrepareCreateOutput } from "./prepare_create.ts";
import { RunCounter } from "./run_counter.ts";
import type { RunReport } from "./run_report.ts";
import type { RunInput } from "./scan.ts";
import type { BackupServices, CreateRequest } from "../types.ts";
import type { ObjectStore } from "../../cloud/object_store.ts";
import type { JobContext, ProgressUpdate } from "../../jobs/types.ts";
import type { PoolJob } from "../../../workers/types.ts";

/** A task hands back what it has not done after so long, so that other jobs get their turn. */
export const SLICE_MS = 1500;
/** An index segment is written when so many packs wait, or after so long. */
const MOST_PACKS = 64;
const LONGEST_WAIT_MS = 60_000;
const PROGRESS_EVERY_MS = 200;

/** What the parts of one run share. */
export class CreateRun {
  newBytes = 0;
  storedBytes = 0;
  #packs: StoredPack[] = [];
  #oldestPack = 0;

  constructor(
    readonly request: CreateRequest,
    readonly services: BackupServices,
    readonly job: JobContext,
    readonly tasks: PoolJob,
    readonly access: RepositoryAccess,
    readonly store: ObjectStore,
    readonly lease: Lease,
    readonly prepared: PrepareCreateOutput,
    readonly report: RunReport,
    /** Path of the spool file. */
    readonly spool: string,
  ) {}

  get workers(): number {
    return this.services.pool.size;
  }

  /** What every task is given. */
  get input(): RunInput {
    const { access, prepared, spool } = this;
    return { access, root: prepared.root, index: prepared.index, spool };
  }

  counter(index: typeof RunCounter[keyof typeof RunCounter]): number {
    return Number(Atomics.load(this.tasks.counters, index));
  }

  /** Takes note of packs that a task has stored, and names them in an index segment when it is time. */
  async addPacks({ packs, newBytes }: { packs: StoredPack[]; newBytes: number }): Promise<void> {
    this.newBytes += newBytes;
    for (const pack of packs) this.storedBytes += pack.size;
    if (this.#packs.length === 0) this.#oldestPack = Date.now();
    this.#packs.push(...packs);
    if (this.#packs.length >= MOST_PACKS || Date.now() - this.#oldestPack >= LONGEST_WAIT_MS) await this.writeIndex();
  }

  /**
   * After a failure: what is stored is named all the same, so that the next run finds it. On this thread, for the run's tasks are
   * cancelled by now.
   */
  async saveIndex(): Promise<void> {
    const packs = this.#packs;
    this.#packs = [];
    if (packs.length === 0) return;
    this.lease.assertValid();
    await writeIndexSegment(this.access, this.store, packs);
  }

  /** Names all packs that no segment names yet. Without a valid lease a prune may be deleting them. */
  async writeIndex(): Promise<void> {
    const packs = this.#packs;
    if (packs.length === 0) return;
    this.#packs = [];
    this.lease.assertValid();
    await this.tasks.run("backup.create.index", { access: this.access, packs });
  }

  /** Reports progress at intervals until it is disposed of. */
  watch(look: () => ProgressUpdate): Disposable {
    this.job.progress(look());
    const timer = setInterval(() => this.job.progress(look()), PROGRESS_EVERY_MS);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }
}
