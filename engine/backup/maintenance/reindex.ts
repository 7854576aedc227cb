import type { RepositoryAccess } from "../repository/access.ts";
import { readIndexSegment, writeIndexSegment } from "../packs/index_segment.ts";
import type { StoredPack } from "../packs/pack_table.ts";
import type { ObjectStore } from "../../cloud/object_store.ts";
import { openStore } from "../../cloud/open_store.ts";
import type { TaskContext } from "../../../workers/types.ts";

/** An index segment's name and bytes. */
export interface Segment {
  name: string;
  size: number;
}

export interface ReindexInput {
  access: RepositoryAccess;
  /** All there are. */
  segments: Segment[];
  /** Names of the packs that are to go. */
  without: string[];
  /** Packs to name besides. */
  packs: StoredPack[];
}

export interface ReindexOutput {
  written: Segment[];
  /** Names of the segments to delete: all that they name and that stays is in others. */
  replaced: string[];
}

/** Bytes of tables after which a segment is closed. */
const FULL = 16 << 20;
const SMALL = 256 << 10;
/** So many small segments are merged. */
const MANY = 8;

/**
 * Writes new segments in place of those that name a pack that is to go, or one that another names too, and of small ones where they
 * are many. The old ones stay; a pack is named at every moment by the old or the new.
 * @throws EngineError `damaged`; StoreError
 */
export async function reindex(input: ReindexInput, context: TaskContext): Promise<ReindexOutput> {
  const { access, segments } = input;
  const store = openStore(access.location);
  const without = new Set(input.without);
  const areManySmall = segments.filter(({ size }) => size < SMALL).length >= MANY;
  const named = new Set<string>();
  const replaced: string[] = [];
  for (const { name, size } of segments) {
    context.checkpoint();
    const packs = await readIndexSegment(access, store, name);
    const mustGo = packs.length === 0 || packs.some((pack) => without.has(pack.name) || named.has(pack.name));
    if (mustGo || areManySmall && size < SMALL) replaced.push(name);
    else for (const pack of packs) named.add(pack.name);
  }
  const writer = new SegmentWriter(access, store, new Set([...without, ...named]));
  for (const pack of input.packs) await writer.take(pack);
  for (const name of replaced) {
    context.checkpoint();
    for (const pack of await readIndexSegment(access, store, name)) await writer.take(pack);
  }
  const written = await writer.finish();
  // Where nothing is encrypted, a segment with the same content has the same name.
  const names = new Set(written.map(({ name }) => name));
  return { written, replaced: replaced.filter((name) => !names.has(name)) };
}

/** Gathers packs into segments, each once. */
export class SegmentWriter {
  readonly #written: Segment[] = [];
  #packs: StoredPack[] = [];
  #size = 0;

  /** @param passedOver names of packs not to take; those taken are added. */
  constructor(
    private readonly access: RepositoryAccess,
    private readonly store: ObjectStore,
    private readonly passedOver: Set<string>,
  ) {}

  async take(pack: StoredPack): Promise<void> {
    if (this.passedOver.has(pack.name)) return;
    this.passedOver.add(pack.name);
    this.#packs.push(pack);
    this.#size += pack.table.length;
    if (this.#size >= FULL) await this.#flush();
  }

  async finish(): Promise<Segment[]> {
    await this.#flush();
    return this.#written;
  }

  async #flush(): Promise<void> {
    if (this.#packs.length === 0) return;
    const name = await writeIndexSegment(this.access, this.store, this.#packs);
    this.#written.push({ name, size: this.#size });
    this.#packs = [];
    this.#size = 0;
  }
}
