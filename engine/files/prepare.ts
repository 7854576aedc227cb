import * as fs from "node:fs";
import { makeAbsolute } from "./directories.ts";
import { BaselineStore, removeBaseline } from "./baseline_store.ts";
import { FAILED, openRoot } from "./scan.ts";
import { DamagedFile, isDamage } from "../sqlite_damage.ts";
import { absorbWritten } from "./absorb.ts";
import { readSegments, type Segment } from "./plan.ts";
import { isTrash, keptFolders } from "./trash.ts";
import { writtenPath } from "./written.ts";
import { EngineError } from "../errors.ts";
import {
  checkWritable,
  close,
  type Descriptor,
  hasCode,
  mayChangeOwner,
  openPassage,
  openPassageAt,
  PosixError,
  statOf,
  syncFileSystem,
  Tree,
} from "../posix/mod.ts";
import type { TaskContext } from "../../workers/types.ts";

export interface PrepareInput {
  source: string;
  target: string;
  /** File of the pair's baseline, whether it exists or not. */
  baseline: string;
  /** Tells whether the patterns are those of the last run. */
  rulesKey: string;
  pass: "forward" | "back" | undefined;
  /** Places in the directories that the run takes for a trash. */
  trash: string[];
  /** Where runs in both directions keep what they overwrite or delete. */
  ownTrash: string[];
  /** File that will take the plan; made empty. */
  spool: string;
}

export interface PrepareOutput {
  sourceIdentity: string;
  targetExists: boolean;
  /** Whether nothing but such runs' trash is where they keep it, or any of it: other programs may put files of their own there. */
  hasOwnTrash: boolean;
  owners: boolean;
  baseline: "none" | "partial" | "complete";
  /** Whether the last run of the pair did not come to its end. */
  interrupted: boolean;
}

const FORMAT = "1";

/** Looks at both directories before anything is compared. @throws EngineError `sync-failed`, `invalid` */
export function prepare(input: PrepareInput, context: TaskContext): PrepareOutput {
  fs.writeFileSync(input.spool, "", { mode: 0o600 });
  using source = openSide(input.source, "source");
  const { identity } = source;
  for (const trash of input.trash) refuseData(trash);
  let targetExists = true;
  try {
    using target = openSide(input.target, "target");
    if (target.identity === identity) {
      throw new EngineError(
        "invalid",
        INVALID,
        `targetDirectory is the same directory as sourceDirectory: ${input.target}`,
      );
    }
    refuseNested(source.root, target.identity, "sourceDirectory lies inside targetDirectory");
    refuseNested(target.root, identity, "targetDirectory lies inside sourceDirectory");
  } catch (error) {
    if (!(error instanceof EngineError && hasCode(error.cause, "ENOENT"))) throw error;
    targetExists = false;
    refuseInside(input.target, identity);
  }
  return {
    sourceIdentity: identity,
    targetExists,
    hasOwnTrash: input.ownTrash.every(isReadableTrash) || input.ownTrash.some(hasKept),
    owners: mayChangeOwner(),
    ...readState(input, targetExists, context),
  };
}

const INVALID = "The request cannot be carried out";

function openSide(path: string, side: "source" | "target"): Tree {
  try {
    return openRoot(path, side);
  } catch (error) {
    if (error instanceof EngineError && hasCode(error.cause, "ENOTDIR")) {
      throw new EngineError("invalid", INVALID, `${side}Directory is not a directory: ${path}`, { cause: error.cause });
    }
    throw error;
  }
}

/** Refuses a trash with something else in it, for the run looks at nothing there. */
function refuseData(trash: string): void {
  try {
    if (isTrash(trash)) return;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    throw new EngineError("sync-failed", FAILED, `Cannot read the trash ${trash}: ${error.message}`, { cause: error });
  }
  const details =
    `trashDirectory would hide what is in ${trash}: name a directory that is new, empty or a trash already`;
  throw new EngineError("invalid", INVALID, details);
}

/** Whether a run has kept something there. */
function hasKept(path: string): boolean {
  try {
    return keptFolders(path).length > 0;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return false;
  }
}

/** What cannot be looked at is no trash: the comparison says why. */
function isReadableTrash(path: string): boolean {
  try {
    return isTrash(path);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return false;
  }
}

/** Checks a target that does not exist yet by the directory in which it will be made. */
function refuseInside(target: string, source: string): void {
  const parent = target.slice(0, Math.max(target.lastIndexOf("/"), 0));
  try {
    const directory = openPassage(parent);
    try {
      refuseNested(directory, source, "targetDirectory lies inside sourceDirectory");
    } finally {
      close(directory);
    }
  } catch (error) {
    if (parent !== "" && hasCode(error, "ENOENT")) return refuseInside(parent, source);
    if (!(error instanceof PosixError)) throw error;
    throw new EngineError("sync-failed", FAILED, `Cannot make the target directory ${target}: ${error.message}`);
  }
}

/** Goes up from a directory to the root and refuses to meet the other one: paths can hide that, inodes cannot. */
function refuseNested(from: Descriptor, other: string, words: string): void {
  let current = openPassageAt(from, ".");
  try {
    for (let identity = statOf(current).identity;;) {
      if (identity === other) throw new EngineError("invalid", INVALID, words);
      const parent = openPassageAt(current, "..");
      close(current);
      current = parent;
      const next = statOf(current).identity;
      if (next === identity) return;
      identity = next;
    }
  } finally {
    close(current);
  }
}

function readState(
  input: PrepareInput,
  targetExists: boolean,
  context: TaskContext,
): Pick<PrepareOutput, "baseline" | "interrupted"> {
  if (!fs.existsSync(input.baseline)) return { baseline: "none", interrupted: false };
  try {
    using store = new BaselineStore(input.baseline);
    if (store.fact("format") !== FORMAT) throw new DamagedFile("It has another format");
    const complete = store.fact("complete") === "yes";
    if (complete && targetExists) absorbLastRun(input, store, context);
    const sameRules = store.fact("rules") === input.rulesKey;
    return {
      baseline: !complete ? "none" : sameRules ? "complete" : "partial",
      interrupted: store.fact("running") !== "no",
    };
  } catch (error) {
    if (!isDamage(error)) throw error;
    removeBaseline(input.baseline);
    return { baseline: "none", interrupted: true };
  }
}

/** Completes the baseline with what a run did that did not come to its end. */
function absorbLastRun(input: PrepareInput, store: BaselineStore, context: TaskContext): void {
  const log = writtenPath(input.baseline);
  if (!fs.existsSync(log)) return;
  // What the last run wrote is where it wrote it, whatever this run's direction is.
  const swapped = store.fact("pass") === "back";
  const isHere = swapped === (input.pass === "back");
  using target = openSide(isHere ? input.target : input.source, "target");
  store.begin({});
  absorbWritten({
    log,
    target,
    store,
    swapped,
    read: (directory) => store.readAside(directory) ?? store.read(directory),
    checkpoint: () => context.checkpoint(),
  });
  store.settle({}, []);
  fs.rmSync(log);
}

export interface BeginInput {
  target: string;
  pass: "forward" | "back" | undefined;
  /** Permissions of the directories that are made, under the umask. */
  mode: number;
  baseline: string;
}

/**
 * Makes the target where it is missing, and notes that a run has begun.
 * @returns whether the baseline is still there: false where it was damaged, and a new one begins
 * @throws EngineError `sync-failed`
 */
export function begin({ target, mode, baseline, pass }: BeginInput): boolean {
  try {
    const directory = makeAbsolute(target, mode);
    try {
      checkWritable(directory);
    } finally {
      close(directory);
    }
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    const details = `Cannot write to the target directory ${target}: ${error.message}`;
    throw new EngineError("sync-failed", FAILED, details, { cause: error });
  }
  try {
    noteBegin(baseline, pass);
    return true;
  } catch (error) {
    if (!isDamage(error)) throw error;
    removeBaseline(baseline);
    noteBegin(baseline, pass);
    return false;
  }
}

function noteBegin(baseline: string, pass: BeginInput["pass"]): void {
  using store = new BaselineStore(baseline);
  store.begin({ format: FORMAT, running: "yes", pass: pass ?? "forward" });
  fs.writeFileSync(writtenPath(baseline), "", { mode: 0o600 });
}

export interface ForgetInput {
  baseline: string;
  /** As in {@link EndInput}. */
  clean: boolean;
}

/** Begins anew with a baseline that turned out to be damaged: the next run is a first run. */
export function forget({ baseline, clean }: ForgetInput): void {
  removeBaseline(baseline);
  if (clean) return;
  using store = new BaselineStore(baseline);
  store.begin({ format: FORMAT, running: "yes" });
}

/** Waits until everything written to the target's file system, and to the trash's if there is one, is on the disk. */
export function flush({ target, trash }: { target: string; trash?: string }, context: TaskContext): void {
  for (const path of trash !== undefined && fs.existsSync(trash) ? [target, trash] : [target]) {
    using tree = new Tree(path);
    context.patiently(() => syncFileSystem(tree.root));
  }
}

export interface EndInput {
  baseline: string;
  rulesKey: string;
  spool: string;
  /** The segments of the stream `foreseen`. */
  foreseen: Segment[];
  /** Whether every step was tried, so that no temporary file can be left. */
  clean: boolean;
}

/** Makes what the plan foresaw and what the run set aside the pair's baseline, and notes that the run has ended. */
export function end({ baseline, rulesKey, clean, spool, foreseen }: EndInput): void {
  using store = new BaselineStore(baseline);
  const facts = { format: FORMAT, complete: "yes", rules: rulesKey, running: clean ? "no" : "yes" };
  store.settle(facts, foreseenRows(spool, foreseen));
  fs.rmSync(writtenPath(baseline), { force: true });
}

function* foreseenRows(spool: string, segments: Segment[]): Generator<[directory: string, entries: Uint8Array]> {
  for (const lines of readSegments(spool, segments)) {
    for (const [directory, [step]] of lines) {
      if (step[0] !== "row") throw new TypeError(`Cannot take the step ${step[0]} for a baseline`);
      yield [directory, Uint8Array.fromBase64(step[1])];
    }
  }
}
