import { directoryName, fileName } from "../tree_names.ts";
import { Random } from "../random.ts";

/** Entries of a directory, on average. */
const IN_DIRECTORY = 20;
const DEEPEST = 8;

/** Two directories that are kept equal. */
export interface Sides {
  left: string;
  right: string;
}

/** What both sides of a pair have after each synchronisation, and random edits of it: the same seed makes the same. */
export class Model {
  readonly #random: Random;
  readonly #directories = [""];
  #files: string[] = [];
  #serial = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  get entries(): number {
    return this.#directories.length - 1 + this.#files.length;
  }

  /** Makes a tree of so many files and directories. */
  make(root: string, entries: number): void {
    for (let made = 0; made < entries; made++) {
      if (made % IN_DIRECTORY > 0) this.#files.push(this.#write([root], this.#newPath()));
      else this.#makeDirectory(root);
    }
  }

  #makeDirectory(root: string): void {
    const parents = this.#directories.filter((path) => path.split("/").length < DEEPEST);
    const parent = this.#random.pick(parents);
    const path = join(parent, `${directoryName(this.#random)}-${this.#serial++}`);
    Deno.mkdirSync(`${root}/${path}`);
    this.#directories.push(path);
  }

  #newPath(): string {
    const name = fileName(this.#random);
    return join(this.#random.pick(this.#directories), `${this.#serial++}-${name}`);
  }

  /** A file of up to some kilobytes, most of them small. */
  #write(roots: string[], path: string): string {
    const words = `${this.#random.uint32()} `;
    const text = words.repeat(Math.ceil(Math.min(16_384, this.#random.logNormal(700, 1)) / words.length));
    for (const root of roots) Deno.writeTextFileSync(`${root}/${path}`, text);
    return path;
  }

  /**
   * Edits each side of all pairs alike: of so many entries three in five are changed, one is added and one removed. No entry is edited
   * on both sides. Returns the number of all edits of one pair.
   */
  edit(pairs: Sides[], count: number): number {
    const files = this.#files;
    const added: string[] = [];
    const removed = new Set<string>();
    let edits = 0;
    for (const side of ["left", "right"] as const) {
      const roots = pairs.map((pair) => pair[side]);
      for (let edit = 0; edit < count; edit++) {
        const kind = edit % 5;
        if (kind === 3) {
          added.push(this.#write(roots, this.#newPath()));
        } else {
          // Those that were edited come first.
          const at = edits + this.#random.int(files.length - edits);
          [files[edits], files[at]] = [files[at], files[edits]];
          const path = files[edits++];
          if (kind < 3) {
            this.#write(roots, path);
          } else {
            for (const root of roots) Deno.removeSync(`${root}/${path}`);
            removed.add(path);
          }
        }
      }
    }
    this.#files = files.filter((path) => !removed.has(path)).concat(added);
    return 2 * count;
  }
}

function join(parent: string, name: string): string {
  return parent === "" ? name : `${parent}/${name}`;
}
