import { EngineError } from "../errors.ts";

interface Held {
  path: string;
  writes: boolean;
  owner: string;
}

/**
 * Keeps two runs from writing into one directory, or one from reading what another writes, directories within each other
 * included. The process is alone with its data directory, so memory is the right place.
 */
export class PathLocks {
  readonly #held = new Set<Held>();

  /**
   * Takes all paths at once or none.
   * @param owner names the holder in the error of whoever comes second
   * @throws EngineError `conflict`
   */
  acquire(owner: string, reads: string[], writes: string[]): Disposable {
    const wanted: Held[] = [
      ...reads.map((path) => ({ path, writes: false, owner })),
      ...writes.map((path) => ({ path, writes: true, owner })),
    ];
    for (const want of wanted) {
      for (const held of this.#held) {
        if ((want.writes || held.writes) && overlap(want.path, held.path)) {
          throw new EngineError(
            "conflict",
            "Another operation is using the directory",
            `${want.path}: ${held.writes ? "is being written" : "is being read"} by session ${held.owner}; ` +
              "try again when it has ended",
          );
        }
      }
    }
    for (const want of wanted) this.#held.add(want);
    return {
      [Symbol.dispose]: () => {
        for (const want of wanted) this.#held.delete(want);
      },
    };
  }
}

/** Whether two absolute paths are the same or one lies in the other. */
export function overlap(a: string, b: string): boolean {
  return isWithin(a, b) || isWithin(b, a);
}

/** Whether an absolute path is a directory or lies in it. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? "/" : directory + "/");
}
