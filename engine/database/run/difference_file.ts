import type { RowDifference } from "../request.ts";
import type { Row } from "../types.ts";
import type { Entity } from "./database_run.ts";
import type { Change, Side } from "./decide.ts";
import { LineFile } from "./line_file.ts";
import type { TablePair } from "./pairing.ts";
import { named } from "./report.ts";

export interface Difference {
  side: Side;
  change: Change;
  key: Row;
  source: Row | undefined;
  target: Row | undefined;
}

/** The file of a diff's row-level differences. */
export class DifferenceFile implements Disposable {
  readonly #file: LineFile<RowDifference>;

  constructor(path: string) {
    this.#file = new LineFile(path);
  }

  get lines(): number {
    return this.#file.lines;
  }

  add({ result }: Entity, pair: TablePair, { side, change, key, source, target }: Difference): void {
    const columns: RowDifference["columns"] = {};
    for (const [i, { name }] of pair.target.columns.entries()) {
      if (change === "update" && source?.[i] === target?.[i]) continue;
      columns[name] = {};
      if (source !== undefined) columns[name].source = source[i];
      if (target !== undefined) columns[name].target = target[i];
    }
    this.#file.add({ entity: result.target, side, change, key: named(pair.target, key), columns });
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}
