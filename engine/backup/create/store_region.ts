import { ChunkIndex } from "../packs/chunk_index.ts";
import { ClaimSet, type ClaimSetData } from "./claim_set.ts";
import { emptyList } from "../trees/content_list.ts";
import { ContentWriter } from "./content_writer.ts";
import { fileEntry, FileFailure, isSame, openFile, settledStat } from "./file_reader.ts";
import type { StoredPack } from "../packs/pack_table.ts";
import { PackWriter } from "../packs/pack_writer.ts";
import type { RunInput } from "./scan.ts";
import { openSource } from "./source_root.ts";
import { Spool, type SpoolRange } from "./spool.ts";
import type { FileEntry } from "../trees/tree_entry.ts";
import { entryXattrs } from "./xattrs.ts";
import { openStore } from "../../cloud/open_store.ts";
import { close, PosixError, type Stat, statOf } from "../../posix/mod.ts";
import type { TaskContext } from "../../../workers/types.ts";

/** A part of a large file. */
export interface RegionInput {
  run: RunInput;
  claims: ClaimSetData;
  path: string;
  name: string;
  /** Where the last slice stopped, at a chunk's end; 0 or a region's start at first. */
  start: number;
  /** What the file was when its first part was read; null for that one. */
  expected: Stat | null;
  sliceMs: number;
}

export type RegionOutput =
  & { packs: StoredPack[]; newBytes: number }
  & (
    | {
      type: "read";
      stat: Stat;
      /** The file's entry without its content; null but at the file's start. */
      entry: FileEntry | null;
      /** The JSON of a {@link ContentList}. */
      content: SpoolRange;
      /** Up to where. */
      reached: number;
      /** It is no longer the file that was expected, or did not hold still. */
      changed: boolean;
    }
    | { type: "failed"; words: string }
  );

/** Stores a part of a large file, up to the end of its region or of the time slice. */
export async function storeRegion(input: RegionInput, context: TaskContext): Promise<RegionOutput> {
  const { run, path, name, start, expected } = input;
  const deadline = performance.now() + input.sliceMs;
  using source = openSource(run.root);
  using spool = new Spool(run.spool, context.counters);
  await using packs = new PackWriter(run.access, openStore(run.access.location), "data");
  const index = new ChunkIndex(run.index);
  const content = new ContentWriter(run.access, index, new ClaimSet(input.claims), packs, context);
  const read = async (): Promise<Omit<RegionOutput & { type: "read" }, "packs" | "newBytes">> => {
    const file = openFile(source.directory(path), name);
    try {
      const stat = expected === null ? await settledStat(file) : statOf(file);
      const { region } = run.access.chunking;
      const { size } = expected ?? stat;
      const end = Math.min(size, start - start % region + region);
      const list = emptyList();
      const sparse = stat.allocated < stat.size;
      const reached = await content.write(file, [start, end], sparse, list, () => performance.now() < deadline);
      const changed = !isSame(expected ?? stat, statOf(file));
      const entry = start === 0 ? fileEntry(name, stat, entryXattrs(file)) : null;
      return { type: "read", stat, entry, content: spool.append(JSON.stringify(list)), reached, changed };
    } finally {
      close(file);
    }
  };
  try {
    const result = await read();
    return { ...result, packs: await packs.finish(), newBytes: content.newBytes };
  } catch (error) {
    if (!(error instanceof FileFailure || error instanceof PosixError)) throw error;
    return { type: "failed", words: error.message, packs: await packs.finish(), newBytes: content.newBytes };
  }
}
