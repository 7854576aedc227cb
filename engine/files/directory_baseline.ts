import { BaselineEncoder, type BaselineEntry, baselineEntry, readRow, sourceUnchanged } from "./baseline.ts";
import type { Listing } from "../posix/mod.ts";

const EMPTY = new Uint8Array(0);
const SAME_AS_SOURCE = new Map<string, BaselineEntry>();

/** What has to be done about a directory's baseline: nothing, list both sides after the run, or take this row then. */
export type BaselineOutcome = "keep" | "list" | Uint8Array;

/** The baseline of the directory that is compared: what is known of it, and what it will be once the plan is carried out. */
export class DirectoryBaseline {
  readonly #encoder = new BaselineEncoder();
  #source: Listing | undefined;
  #known: Map<string, BaselineEntry> | undefined;
  #changed = false;
  #foreseen = false;

  /**
   * Begins with a directory. Decodes the baseline only where it differs from the source: else each entry's baseline is the
   * source's own state.
   * @param stored the row of {@link BaselineEncoder}
   * @param taken which of the source's entries are synchronised
   * @param pass of a run that goes both ways: what the sides agree on is seen only after it
   */
  begin(
    source: Listing | undefined,
    stored: Uint8Array | undefined,
    taken: (index: number) => boolean,
    pass: "forward" | "back" | undefined,
  ): void {
    this.#source = source;
    this.#known = undefined;
    this.#changed = false;
    this.#foreseen = source !== undefined && pass === undefined;
    if (source === undefined) {
      if (stored !== undefined) this.#known = readRow(stored, pass === "back");
      return;
    }
    const encoder = this.#encoder;
    encoder.reset();
    let count = 0;
    for (let i = 0; i < source.length; i++) {
      if (!taken(i)) continue;
      encoder.addListed(source, i);
      count++;
    }
    if (equalBytes(encoder.bytes, stored ?? EMPTY)) {
      if (stored !== undefined) this.#known = SAME_AS_SOURCE;
      return;
    }
    if (stored !== undefined) this.#known = readRow(stored, pass === "back");
    this.#changed = this.#known?.size !== count || !knows(this.#known, source, taken);
    if (this.#changed && this.#losesDirectories(source)) this.doubt();
  }

  /** What is known of a name, the source's entry `i` or, where `i` is −1, one that the source lacks. */
  of(name: string, i: number): BaselineEntry | undefined {
    if (this.#known !== SAME_AS_SOURCE) return this.#known?.get(name);
    return this.#source === undefined || i < 0 ? undefined : baselineEntry(this.#source, i);
  }

  /** Whether the source's entry `i` is a file that is as the baseline knows it. */
  knows(name: string, i: number): boolean {
    if (this.#known === SAME_AS_SOURCE) return true;
    return this.#source !== undefined && sourceUnchanged(this.#known?.get(name), this.#source, i);
  }

  /** Notes that the target will not have what the source has, or not for sure: only a look at both can tell. */
  doubt(): void {
    this.#foreseen = false;
  }

  /** @param written whether the plan puts something new into the directory */
  outcome(written: boolean): BaselineOutcome {
    // What was written otherwise than planned is made out after the run, whatever is foreseen here.
    if (this.#foreseen) return this.#changed ? this.#encoder.bytes : "keep";
    return this.#changed || written ? "list" : "keep";
  }

  /** Whether the baseline knows directories that are none any more: what it knows of their entries has to go, too. */
  #losesDirectories(source: Listing): boolean {
    const directories = new Set<string>();
    for (const [name, { type }] of this.#known ?? []) if (type === "directory") directories.add(name);
    for (let i = 0; directories.size > 0 && i < source.length; i++) {
      if (source.type(i) === "directory") directories.delete(source.names[i]);
    }
    return directories.size > 0;
  }
}

/** Whether a baseline has each of the source's entries as it is, in whatever order and with whatever time in the target. */
function knows(known: Map<string, BaselineEntry>, source: Listing, taken: (index: number) => boolean): boolean {
  for (let i = 0; i < source.length; i++) {
    if (!taken(i)) continue;
    const entry = known.get(source.names[i]);
    const type = source.type(i);
    if (entry?.type !== type) return false;
    if (type === "symlink" && entry.link !== source.links.get(i)) return false;
    if (type === "file" && !sourceUnchanged(entry, source, i)) return false;
  }
  return true;
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}
