import { MOST_LISTED } from "./run_report.ts";
import type { TreeWriter } from "../trees/tree_writer.ts";
import { displayName } from "../../posix/mod.ts";

const CHUNK = 1 << 20;
const encoder = new TextEncoder();

/** Writes the list of a version's changes against its predecessor, as lines of JSON (FORMAT section 8). */
export class ChangeList {
  /** Ids of the chunks so far. */
  readonly chunks: string[] = [];
  /** Files and links added or modified: their number, and the first of them. */
  count = 0;
  readonly files: string[] = [];
  readonly #trees: TreeWriter | undefined;
  #lines: string[] = [];
  #length = 0;

  /** @param trees undefined where there is no predecessor, and so no list */
  constructor(trees: TreeWriter | undefined) {
    this.#trees = trees;
  }

  async add(change: "added" | "modified" | "removed", path: string, isDirectory: boolean): Promise<void> {
    if (!isDirectory && change !== "removed") {
      this.count++;
      if (this.files.length < MOST_LISTED) this.files.push(displayName(path));
    }
    if (this.#trees === undefined) return;
    const line = JSON.stringify([change, path]) + "\n";
    this.#lines.push(line);
    this.#length += line.length;
    if (this.#length >= CHUNK) await this.end();
  }

  /** Stores what is left. */
  async end(): Promise<void> {
    if (this.#trees === undefined || this.#lines.length === 0) return;
    this.chunks.push(await this.#trees.add(encoder.encode(this.#lines.join(""))));
    this.#lines = [];
    this.#length = 0;
  }
}
