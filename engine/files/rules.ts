import ignore, { type Ignore } from "ignore";

/** Which paths a run looks at. Plain data, so that it can be sent to a worker. */
export interface RuleOptions {
  /** Patterns as in .gitignore, relative to both directories. */
  exclude: string[];
  include: string[];
  /** Paths below the roots that are never looked at, such as the server's own data and the run's trash. */
  protected: { source: string[]; target: string[] };
}

/**
 * Names that a run gives to what is not complete yet. Nobody else makes such names, and a target has one run at a time, so
 * whatever a comparison finds under one is left over from a run that was killed.
 */
const TEMPORARY = /^\.syncline-[0-9a-f]{12}-[0-9a-z]+\.tmp$/;

/** @param run 12 hexadecimal digits, different for every run. */
export function temporaryName(run: string, serial: number): string {
  return `.syncline-${run}-${serial.toString(36)}.tmp`;
}

export function isTemporaryName(name: string): boolean {
  return name.startsWith(".syncline-") && TEMPORARY.test(name);
}

/** - `skip`: not ours, on neither side. `pass`: a directory that is only walked through. `take`: synchronised. */
export type Verdict = "skip" | "pass" | "take";

/**
 * Decides over paths, from the root down: what lies below a skipped directory is never asked for. A long-lived instance would
 * keep every path in the matcher's cache, so make one for each batch.
 */
export class Rules {
  readonly #exclude: Ignore | undefined;
  readonly #include: Ignore | undefined;
  readonly #protected: ReadonlySet<string>;

  constructor(options: RuleOptions) {
    this.#exclude = matcher(options.exclude);
    this.#include = matcher(options.include);
    this.#protected = new Set([...options.protected.source, ...options.protected.target]);
  }

  /** Whether only some files are wanted, so that directories are made when the first of them comes. */
  get selective(): boolean {
    return this.#include !== undefined;
  }

  /** @param inherited whether a directory above was taken because an include pattern names it. */
  judge(path: string, directory: boolean, inherited: boolean): Verdict {
    if (this.#protected.size > 0 && this.#protected.has(path)) return "skip";
    const tested = directory ? path + "/" : path;
    if (this.#exclude?.ignores(tested)) return "skip";
    if (this.#include === undefined || inherited || this.#include.ignores(tested)) return "take";
    return directory ? "pass" : "skip";
  }
}

function matcher(patterns: string[]): Ignore | undefined {
  if (patterns.length === 0) return undefined;
  return ignore({ ignorecase: false, allowRelativePaths: true }).add(patterns);
}
