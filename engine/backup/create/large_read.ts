import type { StoredLarge } from "./build_trees.ts";
import type { ClaimSetData } from "./claim_set.ts";
import { type CreateRun, SLICE_MS } from "./create_run.ts";
import { ATTEMPTS, CHANGED } from "./file_reader.ts";
import { RunCounter } from "./run_counter.ts";
import { addError } from "./run_report.ts";
import type { LargeFile } from "./scan_record.ts";
import type { SpoolRange } from "./spool.ts";
import type { RegionOutput } from "./store_region.ts";
import { At, type FileEntry } from "../trees/tree_entry.ts";
import type { WorkQueue } from "./work_queue.ts";
import type { Stat } from "../../posix/mod.ts";

/**
 * Reads one large file by regions, several workers at once. As with small files, one that changes meanwhile is read again, and kept
 * as it was read last if it never holds still; one that becomes shorter each time is left out.
 */
export class LargeRead {
  #attempt = 1;
  #stat: Stat | null = null;
  #entry: FileEntry | null = null;
  /** By region, in order within each. */
  #parts: SpoolRange[][] = [];
  /** Regions that are not read to their end. */
  #open = 0;
  #changed = false;
  #failure: string | undefined;

  constructor(
    private readonly run: CreateRun,
    private readonly claims: ClaimSetData,
    private readonly file: LargeFile,
    private readonly queue: WorkQueue,
    private readonly done: (result: StoredLarge) => void,
  ) {}

  begin(): void {
    this.#stat = this.#entry = null;
    this.#parts = [[]];
    this.#open = 1;
    this.#changed = false;
    this.queue.add(() => this.#read(0, 0));
  }

  async #read(region: number, start: number): Promise<void> {
    if (this.#failure !== undefined || this.#changed && this.#attempt < ATTEMPTS) return this.#close();
    const { path, name } = this.file;
    const output = await this.run.tasks.run("backup.create.region", {
      run: this.run.input,
      claims: this.claims,
      path,
      name,
      start,
      expected: this.#stat,
      sliceMs: SLICE_MS,
    });
    this.#take(region, start, output);
    await this.run.addPacks(output);
  }

  #take(region: number, start: number, output: RegionOutput): void {
    if (output.type === "failed") {
      this.#failure = output.words;
      return this.#close();
    }
    this.#changed ||= output.changed;
    this.#parts[region].push(output.content);
    if (this.#stat === null) this.#spread(output.stat, output.entry);
    const { size } = this.#stat as unknown as Stat;
    const length = this.run.access.chunking.region;
    if (output.reached === Math.min(size, (region + 1) * length)) return this.#close();
    if (output.reached > start) return this.queue.addFirst(() => this.#read(region, output.reached));
    this.#failure = "became shorter while it was read";
    this.#close();
  }

  /** Opens the other regions, once it is known how many there are. */
  #spread(stat: Stat, entry: FileEntry | null): void {
    this.#stat = stat;
    this.#entry = entry;
    const { region } = this.run.access.chunking;
    for (let i = 1; i * region < stat.size; i++) {
      this.#open++;
      this.#parts.push([]);
      this.queue.addFirst(() => this.#read(i, i * region));
    }
  }

  #close(): void {
    if (--this.#open > 0) return;
    if ((this.#changed || this.#failure !== undefined) && this.#attempt < ATTEMPTS && this.#stat !== null) {
      this.#attempt++;
      this.#failure = undefined;
      return this.begin();
    }
    this.#end();
  }

  #end(): void {
    const { report, tasks } = this.run;
    const { path, name, ordinal } = this.file;
    const failed = this.#failure !== undefined || this.#entry === null;
    const words = this.#failure ?? (this.#changed ? CHANGED : undefined);
    if (words !== undefined) addError(report, path === "" ? name : `${path}/${name}`, words);
    if (!failed) {
      report.files++;
      report.size += (this.#entry as FileEntry)[At.size];
    }
    Atomics.add(tasks.counters, RunCounter.files, 1n);
    this.done({ ordinal, entry: failed ? null : this.#entry, content: this.#parts.flat() });
  }
}
