import { BaselineEncoder, type BaselineEntry, sourceUnchanged, swapSides, targetUnchanged } from "./baseline.ts";
import type { FileContents } from "./compare_input.ts";
import type { DirectoryBaseline } from "./directory_baseline.ts";
import { fingerprint, settledTime, UNKNOWN_TIME } from "./fingerprint.ts";
import { lookOf, type SideStates, sideStates } from "./side_states.ts";
import type { Listing } from "../posix/mod.ts";

/** For a run in both directions: how the files of the directory that is compared stand to what both sides agreed on. */
export class BothSides {
  readonly #baseline: DirectoryBaseline;
  readonly #learnt = new BaselineEncoder();
  #hasLearnt = false;
  #source: Listing | undefined;
  #target: Listing | undefined;
  #contents!: FileContents;

  constructor(baseline: DirectoryBaseline) {
    this.#baseline = baseline;
  }

  begin(source: Listing | undefined, target: Listing | undefined, contents: FileContents): void {
    this.#source = source;
    this.#target = target;
    this.#contents = contents;
    this.#learnt.reset();
    this.#hasLearnt = false;
  }

  /** The states of a path's sides. @param i the source's entry, or −1 @param j the target's, or −1 */
  states(known: BaselineEntry | undefined, i: number, j: number): SideStates {
    const looks = {
      source: lookOf(known && swapSides(known), this.#source, i),
      target: lookOf(known, this.#target, j),
    };
    return sideStates(known?.fingerprint?.hash, looks, (side) => this.#contents.hash(side, side === "source" ? i : j));
  }

  /**
   * Whether the source's file `i` and the target's file `j` are one version. What had to be read for that is noted for the baseline.
   * @param isTrusted whether size and time tell a version that the baseline does not know
   */
  agree(name: string, i: number, j: number, isTrusted: boolean): boolean {
    const [source, target] = [this.#source, this.#target];
    if (source === undefined || target === undefined || source.size(i) !== target.size(j)) return false;
    if (this.#baseline.agrees(name, i, target, j)) return true;
    const known = this.#baseline.of(name, i);
    if (sourceUnchanged(known, source, i) && targetUnchanged(known, target, j)) {
      const states = this.states(known, i, j);
      if (states.source !== states.target) return false;
      if (states.source === "unchanged") {
        this.#learn(name, i, j, known, states.hash);
        return true;
      }
    } else if (!source.sameData(i, target, j)) {
      return false;
    } else if (isTrusted) {
      return true;
    }
    if (!this.#contents.equal(i, j)) return false;
    this.#learn(name, i, j, undefined, this.#contents.knownHash("source", i));
    return true;
  }

  /** Notes that both sides' files have this content. @param known the entry whose change times stay where a side was not read */
  #learn(
    name: string,
    i: number,
    j: number,
    known: BaselineEntry | undefined,
    hash: Uint8Array | undefined,
  ): void {
    const { knownHash, lookedAt } = this.#contents;
    const [source, target] = [this.#source as Listing, this.#target as Listing];
    const isRead = [knownHash("source", i), knownHash("target", j)].map((own) => own !== undefined);
    if (hash === undefined || !isRead.some(Boolean)) return;
    const before = known?.fingerprint;
    const [oldSource, oldTarget] = before === undefined ? [UNKNOWN_TIME, UNKNOWN_TIME] : [
      { ctime: before.ctime, ctimeNs: before.ctimeNs },
      { ctime: before.targetCtime, ctimeNs: before.targetCtimeNs },
    ];
    this.#hasLearnt = true;
    this.#learnt.add(name, {
      type: "file",
      size: source.size(i),
      mtime: source.mtime(i),
      mtimeNs: source.mtimeNs(i),
      targetMtime: target.mtime(j),
      targetMtimeNs: target.mtimeNs(j),
      link: "",
      fingerprint: fingerprint(
        hash,
        isRead[0] ? settledTime({ ctime: source.ctime(i), ctimeNs: source.ctimeNs(i) }, lookedAt) : oldSource,
        isRead[1] ? settledTime({ ctime: target.ctime(j), ctimeNs: target.ctimeNs(j) }, lookedAt) : oldTarget,
      ),
    });
  }

  /** The row of all that was noted, undefined where nothing was. */
  get learnt(): Uint8Array | undefined {
    return this.#hasLearnt ? this.#learnt.row : undefined;
  }
}
