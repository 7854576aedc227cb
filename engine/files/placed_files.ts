import { BaselineEncoder, type BaselineEntry } from "./baseline.ts";
import { BaselineStore } from "./baseline_store.ts";
import type { Copied } from "./copy.ts";
import { type ChangeTime, fingerprint, settledTime } from "./fingerprint.ts";
import { inodeOf, type WrittenContent } from "./written.ts";
import { isDamage } from "../sqlite_damage.ts";
import { type Descriptor, type Stat, statIfPresent } from "../posix/mod.ts";

/** What a file holds that was copied, or linked to one that was. */
export interface CopiedContent {
  /** The source that was read. */
  source: Stat;
  /** When its inode last changed, where another change would leave another time. */
  sourceTime: ChangeTime;
  /** The inode of the copy. */
  inode: string;
  hash: Uint8Array | undefined;
}

/** @param begun before the source was read, milliseconds since 1970 */
export function copiedContent(
  { source, made, hash }: Pick<Copied, "source" | "made" | "hash">,
  begun: number,
): CopiedContent {
  return { source, sourceTime: settledTime(source, begun), inode: inodeOf(made), hash };
}

/** As the log of what a run writes has it. */
export function writtenContent({ inode, hash, sourceTime }: CopiedContent): WrittenContent {
  const { ctime, ctimeNs } = sourceTime;
  return { inode, ...hash !== undefined && { hash: hash.toBase64() }, ...!Number.isNaN(ctime) && { ctime, ctimeNs } };
}

/** Gathers, in a run that goes both ways, what files hold that a task puts into the target. */
export class PlacedFiles {
  readonly #baseline: string;
  readonly #entries = new Map<string, Map<string, BaselineEntry>>();

  /** @param baseline file of the pair's baseline */
  constructor(baseline: string) {
    this.#baseline = baseline;
  }

  /** Notes a copy that has just got its name, with the change time that this gave it. */
  note(directory: string, to: Descriptor, name: string, { source, sourceTime, hash }: CopiedContent): void {
    const placed = statIfPresent(to, name);
    if (placed === undefined) return;
    const entries = this.#entries.get(directory) ?? new Map();
    this.#entries.set(directory, entries);
    entries.set(name, {
      type: "file",
      size: source.size,
      mtime: source.mtime,
      mtimeNs: source.mtimeNs,
      targetMtime: placed.mtime,
      targetMtimeNs: placed.mtimeNs,
      link: "",
      fingerprint: fingerprint(hash, sourceTime, placed),
    });
  }

  /** Hands over what was noted to whoever makes out the baseline. */
  end(): void {
    if (this.#entries.size === 0) return;
    const encoder = new BaselineEncoder();
    const rows: [directory: string, entries: Uint8Array][] = [];
    for (const [directory, entries] of this.#entries) {
      encoder.reset();
      for (const [name, entry] of entries) encoder.add(name, entry);
      rows.push([directory, encoder.row]);
    }
    this.#entries.clear();
    try {
      using store = new BaselineStore(this.#baseline);
      store.notePlaced(rows);
    } catch (error) {
      // Whoever makes out the baseline finds it damaged, too, and begins a new one.
      if (!isDamage(error)) throw error;
    }
  }
}
