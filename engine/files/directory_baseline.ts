import {
  BaselineEncoder,
  type BaselineEntry,
  baselineEntry,
  FingerprintReader,
  readRow,
  sourceUnchanged,
  splitRow,
  targetUnchanged,
} from "./baseline.ts";
import { swapFingerprint } from "./fingerprint.ts";
import type { Listing } from "../posix/mod.ts";

const EMPTY = new Uint8Array(0);
/** The place of what has no fingerprint. */
const NOWHERE = -1;
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
  #isBack = false;
  /** Where the baseline is the source's own state: what is known of the contents, and where that of each entry is. */
  #fingerprints: FingerprintReader | undefined;
  #places = new Int32Array(256);

  /**
   * Begins with a directory. Decodes the baseline only where it differs from the source: else each entry's baseline is the
   * source's own state.
   * @param stored the row of {@link BaselineEncoder}
   * @param taken which of the source's entries are synchronised
   * @param pass of a run that goes both ways
   * @param foresees whether the outcome may say what the sides agree on after the run, which else is seen only then
   */
  begin(
    source: Listing | undefined,
    stored: Uint8Array | undefined,
    taken: (index: number) => boolean,
    { pass, foresees }: { pass: "forward" | "back" | undefined; foresees: boolean },
  ): void {
    this.#source = source;
    this.#known = undefined;
    this.#changed = false;
    this.#foreseen = source !== undefined && foresees;
    this.#isBack = pass === "back";
    this.#fingerprints = undefined;
    if (source === undefined) {
      if (stored !== undefined) this.#known = readRow(stored, pass === "back");
      return;
    }
    const encoder = this.#encoder;
    encoder.reset();
    if (this.#places.length < source.length) this.#places = new Int32Array(2 * source.length);
    let count = 0;
    for (let i = 0; i < source.length; i++) {
      const isTaken = taken(i);
      this.#places[i] = isTaken && source.type(i) === "file" ? 0 : NOWHERE;
      if (!isTaken) continue;
      encoder.addListed(source, i);
      count++;
    }
    const { entries, fingerprints } = splitRow(stored ?? EMPTY);
    if (equalBytes(encoder.entries, entries)) {
      if (stored === undefined) return;
      this.#known = SAME_AS_SOURCE;
      if (pass !== undefined) this.#changed = !this.#findFingerprints(source, fingerprints);
      return;
    }
    if (stored !== undefined) this.#known = readRow(stored, pass === "back");
    this.#changed = this.#known?.size !== count || !knows(this.#known, source, taken);
    if (pass !== undefined) this.#changed ||= [...this.#known?.values() ?? []].some(lacksFingerprint);
    if (this.#changed && this.#losesDirectories(source)) this.doubt();
  }

  /** Finds each file's place among the fingerprints; returns whether all have one. */
  #findFingerprints(source: Listing, bytes: Uint8Array | undefined): boolean {
    const reader = bytes === undefined ? undefined : new FingerprintReader(bytes);
    let isComplete = true;
    for (let i = 0; i < source.length; i++) {
      if (this.#places[i] === NOWHERE) continue;
      if (reader === undefined) return false;
      this.#places[i] = reader.skip();
      isComplete &&= reader.isKnown(this.#places[i]);
    }
    this.#fingerprints = reader;
    return isComplete;
  }

  /** What is known of a name, the source's entry `i` or, where `i` is −1, one that the source lacks. */
  of(name: string, i: number): BaselineEntry | undefined {
    if (this.#known !== SAME_AS_SOURCE) return this.#known?.get(name);
    if (this.#source === undefined || i < 0) return undefined;
    const entry = baselineEntry(this.#source, i);
    const fingerprint = entry?.type === "file" ? this.#fingerprints?.at(this.#places[i]) : undefined;
    if (entry !== undefined && fingerprint !== undefined) {
      entry.fingerprint = this.#isBack ? swapFingerprint(fingerprint) : fingerprint;
    }
    return entry;
  }

  /**
   * Whether both sides' files are what they were when they agreed, as far as their metadata tells: the source's entry `i` and the
   * target's `j`.
   */
  agrees(name: string, i: number, target: Listing, j: number): boolean {
    const source = this.#source;
    if (source === undefined) return false;
    if (this.#known !== SAME_AS_SOURCE) {
      const entry = this.#known?.get(name);
      return sourceUnchanged(entry, source, i) && targetUnchanged(entry, target, j) &&
        (entry?.fingerprint === undefined ||
          isTime(entry.fingerprint.ctime, entry.fingerprint.ctimeNs, source, i) &&
            isTime(entry.fingerprint.targetCtime, entry.fingerprint.targetCtimeNs, target, j));
    }
    if (!source.sameData(i, target, j)) return false;
    const reader = this.#fingerprints;
    const place = this.#places[i];
    if (reader === undefined || !reader.isKnown(place)) return true;
    return reader.isTime(place, this.#isBack ? "target" : "source", source, i) &&
      reader.isTime(place, this.#isBack ? "source" : "target", target, j);
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
    if (this.#foreseen) return this.#changed ? this.#encoder.entries : "keep";
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

function lacksFingerprint({ type, fingerprint }: BaselineEntry): boolean {
  return type === "file" && fingerprint === undefined;
}

function isTime(ctime: number, ctimeNs: number, listing: Listing, index: number): boolean {
  return ctime === listing.ctime(index) && ctimeNs === listing.ctimeNs(index);
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
