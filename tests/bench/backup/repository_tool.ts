/** What a round times, in its order. */
export const STEPS = ["first", "nothing", "changed", "restore", "check"] as const;
export type Step = typeof STEPS[number];

/** Something that keeps versions of a directory in a repository. Every method throws where the tool failed. */
export interface RepositoryTool {
  readonly name: string;
  /** Makes an encrypted repository in a directory that is not there yet. */
  init(repository: string): Promise<void>;
  /** Adds a version. Returns how long it took, in milliseconds. */
  backup(repository: string, source: string): Promise<number>;
  /** Restores the newest version into an empty directory, and says where in it the source's content is. */
  restore(repository: string, source: string, target: string): Promise<{ milliseconds: number; content: string }>;
  /** Reads and checks all data. */
  check(repository: string): Promise<number>;
}
