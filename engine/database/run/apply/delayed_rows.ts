import { LineFile } from "../line_file.ts";
import type { ChangeLine } from "../plan.ts";
import type { Change, Side } from "../decide.ts";
import type { EntityWriter } from "./entity_writer.ts";
import type { WriteItem } from "./write_item.ts";

/** Why a row has to wait: another row has its unique value, or a row that it refers to is not there yet, or still refers to it. */
export type Cause = "unique" | "foreign-key";

/** Rows that were refused in their turn and are tried again when the others are written. */
export class DelayedRows implements Disposable {
  readonly #workspace: string;
  readonly #side: Side;
  readonly #files = new Map<string, LineFile<ChangeLine>>();
  #made = 0;

  constructor(workspace: string, side: Side) {
    this.#workspace = workspace;
    this.#side = side;
  }

  add({ entity }: EntityWriter, change: Change, cause: Cause, items: WriteItem[]): void {
    const name = `${entity.index} ${change} ${cause}`;
    let file = this.#files.get(name);
    if (file === undefined) {
      file = new LineFile(`${this.#workspace}/${this.#side}-delayed-${this.#made++}`);
      this.#files.set(name, file);
    }
    for (const { line } of items) file.add(line);
  }

  /** Takes what waits, so that it may wait again; undefined where there is nothing. The caller disposes of it. */
  take({ entity }: EntityWriter, change: Change, cause: Cause): LineFile<ChangeLine> | undefined {
    const name = `${entity.index} ${change} ${cause}`;
    const file = this.#files.get(name);
    this.#files.delete(name);
    return file;
  }

  put({ entity }: EntityWriter, change: Change, cause: Cause, lines: LineFile<ChangeLine>): void {
    this.#files.set(`${entity.index} ${change} ${cause}`, lines);
  }

  has({ entity }: EntityWriter, change: Change, cause: Cause): boolean {
    return this.#files.has(`${entity.index} ${change} ${cause}`);
  }

  /** How many rows wait for others that refer to them. */
  lines({ entity }: EntityWriter, change: Change): number {
    return this.#files.get(`${entity.index} ${change} foreign-key`)?.lines ?? 0;
  }

  [Symbol.dispose](): void {
    for (const file of this.#files.values()) file[Symbol.dispose]();
  }
}
