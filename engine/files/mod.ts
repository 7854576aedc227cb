/**
 * Synchronises directories: scan of both sides, a plan that can be looked at and is checked against limits, its application.
 * Guarantees: a path holds its old or its new content whole, at every moment; a run that was killed is brought to its end by
 * the next; nothing is read or written outside of the two directories, whatever links are put in the way; what a pattern
 * excludes is never touched; nothing is deleted where something could not be read.
 */
export { PathLocks } from "./locks.ts";
export type { FileServices } from "./run.ts";
export { prepareDataDirectory, syncFiles } from "./sync.ts";
export type * from "./types.ts";
