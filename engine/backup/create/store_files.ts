import type { ClaimSetData } from "./claim_set.ts";
import { ClaimSet } from "./claim_set.ts";
import { ChunkIndex } from "../packs/chunk_index.ts";
import { ContentWriter } from "./content_writer.ts";
import { CHANGED, FileFailure, readFile } from "./file_reader.ts";
import type { StoredPack } from "../packs/pack_table.ts";
import { PackWriter } from "../packs/pack_writer.ts";
import { parseRecords } from "./record_writer.ts";
import { RunCounter } from "./run_counter.ts";
import { addError, emptyReport, type RunReport } from "./run_report.ts";
import type { RunInput } from "./scan.ts";
import { isPending, type NewPage } from "./scan_record.ts";
import { openSource } from "./source_root.ts";
import { Spool, type SpoolRange } from "./spool.ts";
import { At, type FileEntry } from "../trees/tree_entry.ts";
import { LONG_CONTENT } from "../trees/tree_page.ts";
import { openStore } from "../../cloud/open_store.ts";
import { hasCode, PosixError, type Tree } from "../../posix/mod.ts";
import type { TaskContext } from "../../../workers/types.ts";

/** What remains to be stored of a segment. */
export interface StoreWork {
  /** The segment's number. */
  segment: number;
  range: SpoolRange;
  /** Ordinal of the first pending file that is not done. */
  from: number;
}

/** What became of a pending file; null for one that is not in the version, or large. A long content has its lengths with it. */
export type StoredFile = FileEntry | { entry: FileEntry; lengths: number[] } | null;

/** Results of some consecutive pending files of a segment: the JSON of an array of {@link StoredFile}. */
export interface StoredPart {
  segment: number;
  range: SpoolRange;
}

export interface StoreInput {
  run: RunInput;
  claims: ClaimSetData;
  work: StoreWork[];
  /** Milliseconds after which the task hands back what it has not done. */
  sliceMs: number;
}

export interface StoreOutput {
  packs: StoredPack[];
  /** In order within each segment. */
  parts: StoredPart[];
  left: StoreWork[];
  newBytes: number;
  report: RunReport;
}

/** Reads pending files, stores their chunks and writes their entries to the spool. */
export async function storeFiles(input: StoreInput, context: TaskContext): Promise<StoreOutput> {
  const { run } = input;
  const deadline = performance.now() + input.sliceMs;
  using source = openSource(run.root);
  using spool = new Spool(run.spool, context.counters);
  await using packs = new PackWriter(run.access, openStore(run.access.location), "data");
  const index = new ChunkIndex(run.index);
  const content = new ContentWriter(run.access, index, new ClaimSet(input.claims), packs, context);
  const files = new PendingFileReader(source, content, context);
  const parts: StoredPart[] = [];
  const left = [...input.work];
  while (left.length > 0 && performance.now() < deadline) {
    const work = left[0];
    const done = await files.read(parseRecords(spool.read(work.range)), work.from, deadline);
    parts.push({ segment: work.segment, range: spool.append(JSON.stringify(files.take())) });
    if (done === undefined) left.shift();
    else left[0] = { ...work, from: done };
  }
  return { packs: await packs.finish(), parts, left, newBytes: content.newBytes, report: files.report };
}

class PendingFileReader {
  readonly report = emptyReport();
  #files: StoredFile[] = [];

  constructor(
    private readonly source: Tree,
    private readonly content: ContentWriter,
    private readonly context: TaskContext,
  ) {}

  /** What became of the files that were read since the last call. */
  take(): StoredFile[] {
    const files = this.#files;
    this.#files = [];
    return files;
  }

  /** Reads the pending files from an ordinal on; returns that of the first one that there was no time for. */
  async read(records: ReturnType<typeof parseRecords>, from: number, deadline: number): Promise<number | undefined> {
    let ordinal = 0;
    for (const record of records) {
      if (record[0] !== "page") continue;
      for (const entry of (record as NewPage)[5]) {
        if (!isPending(entry) || ordinal++ < from) continue;
        if (typeof entry === "string") await this.#read(record[4], entry);
        else this.#files.push(null);
        if (performance.now() >= deadline) return ordinal;
      }
    }
    return undefined;
  }

  async #read(path: string, name: string): Promise<void> {
    let stored: StoredFile = null;
    try {
      const { entry, content, changed } = await readFile(this.source.directory(path), name, this.content, this.context);
      entry[At.content] = content.items;
      stored = content.items.length > LONG_CONTENT ? { entry, lengths: content.lengths } : entry;
      this.report.files++;
      this.report.size += entry[At.size];
      if (changed) addError(this.report, join(path, name), CHANGED);
    } catch (error) {
      if (!(error instanceof FileFailure || error instanceof PosixError)) throw error;
      const gone = hasCode(error, "ENOENT", "ENOTDIR", "ELOOP");
      addError(this.report, join(path, name), gone ? "disappeared during the run" : error.message);
    }
    this.#files.push(stored);
    Atomics.add(this.context.counters, RunCounter.files, 1n);
  }
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}/${name}`;
}
