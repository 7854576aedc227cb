import { MOST_FILES } from "./blame.ts";
import type { CheckProblem } from "../types.ts";

const MOST_PROBLEMS = 1_000;

/** Gathers the problems of a check, one for each object. */
export class Problems {
  readonly #problems = new Map<string, CheckProblem>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get list(): CheckProblem[] {
    return [...this.#problems.values()];
  }

  /** Adds a problem; where the object has one already, what it costs is added to that. */
  add(
    kind: CheckProblem["kind"],
    object: string,
    message: string,
    versions: string[] = [],
    files: string[] = [],
  ): void {
    let problem = this.#problems.get(object);
    if (problem === undefined) {
      this.#count++;
      if (this.#problems.size === MOST_PROBLEMS) return;
      this.#problems.set(object, problem = { kind, object, message, versions: [], files: [] });
    }
    for (const version of versions) if (!problem.versions.includes(version)) problem.versions.push(version);
    problem.files.push(...files.slice(0, MOST_FILES - problem.files.length));
  }
}
