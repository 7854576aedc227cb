/**
 * Compares one directory's two listings and writes what has to be done. Pure but for its outputs: it reads values, not files.
 * Over 350 lines, because the cases of one path are read together or not understood.
 */
import type { Listing } from "../posix/mod.ts";
import { type BaselineEntry, sourceUnchanged, swapSides, targetUnchanged } from "./baseline.ts";
import { BothSides } from "./both_sides.ts";
import type { CompareInput, CompareOptions, FileContents, PendingDirectory, Place } from "./compare_input.ts";
import { conflictName, isLater, resolutionOf, resolveConflict, type Winner } from "./conflict.ts";
import { DirectoryBaseline } from "./directory_baseline.ts";
import { pair } from "./pairing.ts";
import { type Existing, type FileStep, fileStream, type PlanWriter, type Step, type Stream } from "./plan.ts";
import { reconcile, type SideState } from "./reconcile.ts";
import { addConflict, addError, type Report } from "./report.ts";
import { isTemporaryName, type Rules } from "./rules.ts";
import type { Conflict, FileState, UnmergedReason } from "./types.ts";

export class DirectoryComparison {
  readonly #rules: Rules;
  readonly #options: CompareOptions;
  readonly #plan: PlanWriter;
  readonly #report: Report;
  readonly #baseline = new DirectoryBaseline();
  readonly #sides = new BothSides(this.#baseline);
  /** Directories that the target lacks and that no pattern names, but something wanted lies in them. */
  readonly needed: Place[] = [];
  /** Directories that only the target has and that stay because something in them does. */
  readonly kept: Place[] = [];
  /** Set for each directory. */
  #directory!: PendingDirectory;
  #source: Listing | undefined;
  #target: Listing | undefined;
  #handled = new Uint8Array(256);
  #touched = false;
  /** Whether the plan puts something new into the directory. */
  #written = false;
  /** Names that `KeepBoth` gives in the directory. */
  #keptNames: string[] = [];
  /** Files that are different, or stay so where nothing replaces them, although nothing but their bytes tells so. */
  #left: string[] = [];
  #contents!: FileContents;
  #linksInTrash!: CompareInput["linksInTrash"];
  #children: PendingDirectory[] = [];

  constructor(rules: Rules, options: CompareOptions, plan: PlanWriter, report: Report) {
    this.#rules = rules;
    this.#options = options;
    this.#plan = plan;
    this.#report = report;
  }

  /** Writes the directory's steps and returns the directories below it that are to be compared. */
  compare(input: CompareInput): PendingDirectory[] {
    const { directory, source, target } = input;
    this.#directory = directory;
    this.#source = source;
    this.#target = target;
    this.#touched = false;
    this.#written = false;
    this.#keptNames = [];
    this.#left = [];
    this.#contents = input.contents;
    this.#linksInTrash = input.linksInTrash;
    this.#children = [];
    const { pass, strategy } = this.#options;
    this.#baseline.begin(source, input.baseline, (i) => this.#isTaken(source as Listing, i), {
      pass,
      // Texts are kept of what the run has set aside, before that takes effect.
      foresees: pass === undefined && strategy !== "Merge",
    });
    this.#sides.begin(source, target, input.contents);
    const partner = pair(source, target, input.folds, (i, j) => this.#renameCase(i, j));
    if (this.#handled.length < (target?.length ?? 0)) this.#handled = new Uint8Array(2 * (target?.length ?? 0));
    const handled = this.#handled.fill(0, 0, target?.length ?? 0);
    if (source !== undefined) {
      for (let i = 0; i < source.length; i++) {
        if (partner[i] >= 0) handled[partner[i]] = 1;
        this.#visit(source, i, partner[i]);
      }
    }
    if (target !== undefined) {
      for (let j = 0; j < target.length; j++) {
        if (handled[j] === 0) this.#visitExtra(target, j);
      }
    }
    const { learnt } = this.#sides;
    const outcome = this.#baseline.outcome(this.#written || learnt !== undefined);
    if (outcome === "list") {
      this.#plan.add("baseline", directory.path);
      for (const name of this.#left) this.#plan.add("baseline", directory.path, ["left", name]);
      if (learnt !== undefined) this.#plan.add("baseline", directory.path, ["contents", learnt.toBase64()]);
    } else if (outcome !== "keep") this.#plan.add("foreseen", directory.path, ["row", outcome.toBase64()]);
    if (source !== undefined && !(directory.target ? !this.#touched && directory.own === "same" : !this.#wanted())) {
      this.#plan.add("finish", directory.path, ["finish", directory.own === "counted"]);
      if (directory.own === "counted") this.#report.updated++;
    }
    return this.#children;
  }

  /** Whether a directory that the target lacks is made: not in a selective run before something in it is wanted. */
  #wanted(): boolean {
    if (this.#directory.conditional) return this.#touched;
    return !this.#rules.selective || this.#directory.included || this.#touched;
  }

  /** Whether one of the source's entries is synchronised: what its baseline is made of. */
  #isTaken(source: Listing, i: number): boolean {
    const type = source.type(i);
    if (type === "special" || isTemporaryName(source.names[i])) return false;
    return this.#judge(source.names[i], type === "directory") === "take";
  }

  #path(name: string): string {
    return this.#directory.path === "" ? name : `${this.#directory.path}/${name}`;
  }

  #judge(name: string, directory: boolean) {
    return this.#rules.judge(this.#path(name), directory, this.#directory.included);
  }

  #add(stream: Stream, step: Parameters<PlanWriter["add"]>[2], bytes = 0): void {
    this.#touched = true;
    this.#plan.add(stream, this.#directory.path, step, bytes);
  }

  #renameCase(i: number, j: number): void {
    const [source, target] = [this.#source as Listing, this.#target as Listing];
    this.#add("first", ["rename", source.names[i], target.names[j], target.type(j)]);
    this.#report.renamed++;
    this.#baseline.doubt();
  }

  /** One path that the source has. `j` is the target's entry or −1. */
  #visit(source: Listing, i: number, j: number): void {
    const name = source.names[i];
    if (isTemporaryName(name)) return;
    const type = source.type(i);
    const verdict = this.#judge(name, type === "directory");
    if (verdict === "skip") return;
    this.#report.entries++;
    if (type === "file" || type === "symlink") this.#report.sourceFiles++;
    if (type === "special") {
      addError(this.#report, this.#path(name), "is a socket, device or FIFO, which is not copied");
      return;
    }
    const target = this.#target;
    const targetType = target === undefined || j < 0 ? undefined : target.type(j);
    if (target !== undefined && targetType === type && this.#same(source, i, target, j)) {
      if (type === "directory") this.#descendBoth(source, i, target, j, verdict === "take");
      else this.#checkMetadata(source, i, target, j);
      return;
    }
    if (targetType === "directory" && this.#judge(name, true) === "skip") {
      addError(this.#report, this.#path(name), "an excluded directory of the target is in its place");
      this.#baseline.doubt();
      return;
    }
    if (verdict === "pass" && targetType !== undefined) {
      addError(this.#report, this.#path(name), "in the target this is no directory, and no include pattern names it");
      return;
    }
    if (
      this.#options.pass !== undefined && type === "directory" && j < 0 &&
      this.#baseline.of(name, i)?.type === "directory"
    ) {
      return this.#descend(name, true, false, verdict === "take", { conditional: true });
    }
    const winner = verdict === "pass" ? "source" : this.#settle(name, i, j);
    if (winner !== "source") this.#baseline.doubt();
    const isAlike = target !== undefined && type === "file" && targetType === "file" &&
      source.size(i) === target.size(j);
    // Afterwards their sizes and times may look as those of one version do, where a file system has cut the times or where an edit
    // has kept them. Of runs in both directions the baseline learns what was replaced.
    if (isAlike && (winner === "target" || this.#options.pass !== undefined)) this.#left.push(name);
    if (winner === "target") return;
    const existing: Existing = targetType === undefined || winner === "both"
      ? "nothing"
      : targetType === "directory"
      ? "directory"
      : "entry";
    if (existing === "directory") this.#baseline.doubt();
    if (existing === "directory" && this.#options.deleteMissing) {
      this.#descend(name, false, true, true, { clear: true });
    }
    const inNeed = this.#directory.conditional ||
      this.#rules.selective && !this.#directory.included && verdict === "take";
    if (inNeed && !this.#directory.target) {
      this.needed.push([this.#directory.path, this.#directory.top]);
    }
    this.#make(source, i, j, existing, verdict === "take");
  }

  /** Writes the step that puts the source's entry into the target. */
  #make(source: Listing, i: number, j: number, existing: Existing, taken: boolean): void {
    this.#written = true;
    const name = source.names[i];
    const type = source.type(i);
    if (type === "directory") {
      if (existing === "entry") this.#add("first", ["directory", name, existing]);
      else if (!this.#rules.selective || this.#directory.included || taken) {
        this.#add("copy", ["directory", name, existing]);
      }
      if (!this.#rules.selective || taken) this.#count(existing);
      this.#descend(name, true, false, taken);
    } else if (type === "symlink") {
      const to = source.links.get(i) as string;
      this.#add(existing === "directory" ? "over" : "copy", ["symlink", name, to, existing]);
      this.#count(existing);
    } else if (source.hardLinks(i) > 1) {
      this.#addLinked(source, i, j, 0, existing);
    } else {
      const size = source.size(i);
      const step: FileStep = ["file", name, size, existing, source.mtime(i), source.mtimeNs(i)];
      const isOver = existing === "entry" && this.#target?.type(j) === "file";
      if (this.#options.pass !== undefined && isOver) step.push(fileState(this.#target as Listing, j));
      this.#add(fileStream(size, existing), step, size);
      this.#count(existing);
      this.#report.bytes += size;
    }
  }

  #count(existing: Existing): void {
    if (existing === "nothing") this.#report.created++;
    else this.#report.updated++;
  }

  #descend(
    name: string,
    source: boolean,
    target: boolean,
    taken: boolean,
    { clear = false, conditional = false } = {},
  ): void {
    const { path, top } = this.#directory;
    this.#children.push({
      path: this.#path(name),
      source,
      target,
      included: this.#rules.selective && taken,
      clear: clear || this.#directory.clear,
      reported: this.#directory.reported || this.#conflicted === name,
      own: "same",
      conditional,
      // A directory that only the target has and that no pattern takes is not deleted, so it cannot be kept from it.
      top: source && target || !source && !taken ? 0 : top > 0 ? top : path === "" ? 1 : path.split("/").length + 1,
    });
  }

  /** Goes on into a directory that both sides have. */
  #descendBoth(source: Listing, i: number, target: Listing, j: number, taken: boolean): void {
    this.#descend(source.names[i], true, true, taken);
    const child = this.#children[this.#children.length - 1];
    const sameTime = source.mtime(i) === target.mtime(j) && source.mtimeNs(i) === target.mtimeNs(j);
    if (this.#differs(source, i, target, j)) child.own = "counted";
    else if (!sameTime) child.own = "times";
  }

  /** The last name for which a conflict was reported. */
  #conflicted: string | undefined;

  #same(source: Listing, i: number, target: Listing, j: number): boolean {
    switch (source.type(i)) {
      case "directory":
        return true;
      case "symlink":
        return source.links.get(i) === target.links.get(j);
      default: {
        if (this.#options.pass !== undefined) {
          return this.#sides.agree(source.names[i], i, j, this.#isTrusted(source, i));
        }
        if (source.sameData(i, target, j)) return this.#isTrusted(source, i) || this.#contents.equal(i, j);
        if (source.size(i) !== target.size(j)) return false;
        const baseline = this.#baseline.of(source.names[i], i);
        const same = sourceUnchanged(baseline, source, i) && targetUnchanged(baseline, target, j);
        // The target keeps coarser times, which only its own listing tells.
        if (same) this.#baseline.doubt();
        return same;
      }
    }
  }

  /**
   * Whether a file's time and size tell its version. Two programs that write at once leave the same time, and where both sides have
   * changed since they agreed, or nobody knows what they agreed on, that is no proof.
   */
  #isTrusted(source: Listing, i: number): boolean {
    if (this.#baseline.knows(source.names[i], i)) return true;
    return this.#options.baseline !== "complete" && source.mtime(i) < this.#options.recentFrom;
  }

  /** Whether permissions or owners differ and are to be kept. A link has no permissions of its own. */
  #differs(source: Listing, i: number, target: Listing, j: number): boolean {
    const { preservePermissions, owners, pass } = this.#options;
    if (!preservePermissions) return false;
    // The baseline does not know permissions: those that were set last count.
    if (pass !== undefined && !isLater(changeTime(source, i), changeTime(target, j))) return false;
    if (owners && (source.uid(i) !== target.uid(j) || source.gid(i) !== target.gid(j))) return true;
    return source.type(i) !== "symlink" && source.permissions(i) !== target.permissions(j);
  }

  /** For a file or link whose content is the same. */
  #checkMetadata(source: Listing, i: number, target: Listing, j: number): void {
    const type = source.type(i);
    const time = type === "symlink" &&
      (source.mtime(i) !== target.mtime(j) || source.mtimeNs(i) !== target.mtimeNs(j));
    const differs = this.#differs(source, i, target, j) || time;
    if (type === "file" && (source.hardLinks(i) > 1 || target.hardLinks(j) > 1)) {
      this.#addLinked(source, i, j, differs ? 2 : 1, "entry");
      return;
    }
    if (!differs) return;
    this.#add("copy", ["metadata", source.names[i], type]);
    this.#report.updated++;
  }

  /** @param same 0: other data, 1: the same, 2: the same data under other metadata */
  #addLinked(source: Listing, i: number, j: number, same: 0 | 1 | 2, existing: Existing): void {
    const identity = j >= 0 && this.#target?.type(j) === "file" ? this.#target.identity(j) : "";
    const step = ["linked", source.names[i], source.size(i), source.identity(i), identity, same, existing] as const;
    this.#plan.add("links", this.#directory.path, [...step]);
    if (same !== 1) this.#touched = true;
    if (same === 0) this.#baseline.doubt();
  }

  /** Finds out whether someone else changed the path, reports that, and says whose version stays. */
  #settle(name: string, i: number, j: number): Winner {
    const { strategy, baseline, pass } = this.#options;
    if (pass !== undefined) return this.#reconcile(name, i, j, pass);
    if (baseline === "none" || this.#directory.reported) return "source";
    const [source, target] = [this.#source, this.#target];
    const known = this.#baseline.of(name, i);
    if (known === undefined && i < 0 && baseline === "partial" && strategy !== "SourceWins") return "target";
    if (known === undefined && (baseline === "partial" || j < 0)) return "source";
    if (j >= 0 && target !== undefined && targetUnchanged(known, target, j)) return "source";
    // What only the target changed is merged with nothing.
    const isMerged = strategy === "Merge" && source !== undefined && i >= 0 && j >= 0 &&
      sourceUnchanged(known, source, i);
    if (isMerged) return "target";
    const kind: Conflict["kind"] = known === undefined ? "added" : j < 0 ? "deleted" : "modified";
    const winner = resolveConflict(strategy, writeTime(source, i), writeTime(target, j));
    return this.#conflict(name, i, j, kind, winner, known);
  }

  /** Reports a conflict, unless its merge will. */
  #conflict(name: string, i: number, j: number, kind: Conflict["kind"], winner: Winner, known?: BaselineEntry): Winner {
    const { strategy, stamp, pass, foresees } = this.#options;
    const [source, target] = [this.#source, this.#target];
    if (winner !== "both" || source === undefined || target === undefined) {
      this.#noteConflict(name, j, kind, winner);
      return winner;
    }
    const isMerge = strategy === "Merge" && known?.type === "file" && this.#isLone("source", i) &&
      this.#isLone("target", j);
    if (!isMerge && !foresees) {
      const reason = known === undefined ? "no-common-version" : "not-mergeable";
      this.#noteConflict(name, j, kind, winner, strategy === "Merge" ? reason : undefined);
      return winner;
    }
    this.#conflicted = name;
    const keptAs = this.#keptName(name, stamp);
    if (!isMerge) {
      this.#foreseeKept(source, i, keptAs);
    } else if (pass !== "back" || foresees) {
      const { size, mtime, mtimeNs } = pass === "back" ? swapSides(known) : known;
      const base = { size, mtime, mtimeNs, hash: known.fingerprint?.hash?.toBase64() };
      this.#add("merge", ["merge", name, kind, keptAs, base, fileState(source, i), fileState(target, j)]);
    }
    return "target";
  }

  /** Whether a side's entry is a file with no other name. */
  #isLone(side: "source" | "target", index: number): boolean {
    const listing = side === "source" ? this.#source : this.#target;
    if (listing === undefined || index < 0 || listing.type(index) !== "file") return false;
    const links = listing.hardLinks(index);
    return links === 1 || links - this.#linksInTrash(side, listing.names[index], listing.inode(index)) === 1;
  }

  /** The version that the pass before moves aside in this one's source comes here. */
  #foreseeKept(source: Listing, i: number, keptAs: string): void {
    const type = source.type(i);
    if (type === "directory") this.#add("copy", ["directory", keptAs, "nothing"]);
    else if (type === "symlink") this.#add("copy", ["symlink", keptAs, source.links.get(i) as string, "nothing"]);
    else this.#add("copy", ["file", keptAs, source.size(i), "nothing"]);
    this.#report.created++;
    if (type === "file") this.#report.bytes += source.size(i);
  }

  /** A name for the version of a file that is kept beside it, which nothing else in the directory has. */
  #keptName(name: string, stamp: string): string {
    const kept = conflictName(name, stamp, (each) => this.#isNamed(each));
    this.#keptNames.push(kept);
    return kept;
  }

  /** Reports a conflict, and moves the target's version aside where both are kept. */
  #noteConflict(name: string, j: number, kind: Conflict["kind"], winner: Winner, reason?: UnmergedReason): void {
    const { strategy, stamp, pass } = this.#options;
    const conflict: Conflict = { path: this.#path(name), kind, resolution: resolutionOf(strategy, winner) };
    if (reason !== undefined) conflict.reason = reason;
    if (winner === "both" && this.#target !== undefined) {
      conflict.keptAs = this.#keptName(name, stamp);
      this.#add("first", ["rename", conflict.keptAs, name, this.#target.type(j)]);
      this.#report.renamed++;
    }
    // The pass before has seen the same.
    if (pass !== "back") addConflict(this.#report, conflict);
    this.#conflicted = name;
  }

  /** {@link reconcile} for one path of a run that goes both ways. */
  #reconcile(name: string, i: number, j: number, pass: "forward" | "back"): Winner {
    const { strategy, baseline } = this.#options;
    const [source, target] = [this.#source, this.#target];
    const known = baseline === "none" ? undefined : this.#baseline.of(name, i);
    const states = this.#sides.states(known, i, j);
    const { winner, conflict } = reconcile(
      {
        known: known !== undefined,
        source: states.source,
        target: states.target,
        sourceTime: writeTime(source, i),
        targetTime: writeTime(target, j),
      },
      strategy,
      pass,
    );
    if (this.#directory.clear) return this.#clear(name, states.target, known);
    if (!conflict) return winner;
    const isFile = (listing: Listing | undefined, index: number) => index >= 0 && listing?.type(index) === "file";
    if (isFile(source, i) && isFile(target, j) && source?.size(i) === target?.size(j) && this.#contents.equal(i, j)) {
      // Both came to the same: only their times differ, which are made one.
      return pass === "forward" ? "source" : "target";
    }
    const kind = known === undefined ? "added" : j < 0 ? "deleted" : "modified";
    return this.#conflict(name, i, j, kind, winner, known);
  }

  /** In a directory that makes room for a file everything goes, into the trash; what nobody had deleted is a conflict. */
  #clear(name: string, state: SideState, known: BaselineEntry | undefined): Winner {
    const resolution = this.#options.pass === "forward" ? "source" : "target";
    if (state === "changed" && !this.#directory.reported) {
      addConflict(this.#report, {
        path: this.#path(name),
        kind: known === undefined ? "added" : "modified",
        resolution,
      });
      this.#conflicted = name;
    }
    return "source";
  }

  /** Whether one of the directory's names is, or will be, another one's but for case. */
  #isNamed(name: string): boolean {
    const names = [this.#source?.names ?? [], this.#target?.names ?? [], this.#keptNames];
    return names.some((each) => each.some((other) => other.toLowerCase() === name.toLowerCase()));
  }

  /** One path that only the target has. */
  #visitExtra(target: Listing, j: number): void {
    const name = target.names[j];
    if (isTemporaryName(name)) {
      this.#add("copy", ["stale", name]);
      return;
    }
    const type = target.type(j);
    // What becomes of it, and of what is known in it, is seen when it has happened.
    if (this.#baseline.of(name, -1) !== undefined) this.#baseline.doubt();
    const verdict = this.#judge(name, type === "directory");
    if (verdict === "skip") return this.#keep();
    this.#report.entries++;
    // What nobody has deleted is new there: the other pass brings it here.
    const isNew = this.#options.pass !== undefined && this.#baseline.of(name, -1) === undefined;
    if (isNew && !this.#directory.clear) return this.#keep();
    if (!this.#options.deleteMissing) {
      if (type === "directory" && this.#options.sweep) this.#descend(name, false, true, verdict === "take");
      return;
    }
    if (verdict === "take") {
      if (this.#settle(name, -1, j) === "target") return this.#keep();
      const isGuarded = this.#options.pass !== undefined && type === "file";
      const step: Step = isGuarded ? ["delete", name, type, fileState(target, j)] : ["delete", name, type];
      this.#add(this.#directory.clear ? "clear" : "delete", step);
      this.#report.deleted++;
    }
    if (type === "directory") this.#descend(name, false, true, verdict === "take");
  }

  /** Something stays in a directory that only the target has. */
  #keep(): void {
    if (this.#directory.clear) this.#add("clear", ["keep"]);
    else if (this.#source === undefined) this.kept.push([this.#directory.path, this.#directory.top]);
  }
}

function writeTime(listing: Listing | undefined, index: number) {
  if (listing === undefined || index < 0) return undefined;
  return { seconds: listing.mtime(index), nanoseconds: listing.mtimeNs(index) };
}

/** Whether it is a file that has no other name. */
function fileState(listing: Listing, index: number): FileState {
  return { size: listing.size(index), mtime: listing.mtime(index), mtimeNs: listing.mtimeNs(index) };
}

function changeTime(listing: Listing, index: number) {
  return { seconds: listing.ctime(index), nanoseconds: listing.ctimeNs(index) };
}
