import type { DatabaseConflict, EntityResult } from "../request.ts";
import type { Row, TableSide } from "../types.ts";

const MOST_LISTED = 1000;
/** Longer values are cut in messages. */
const MOST_SHOWN = 60;

/** What a run has to tell beside its figures. Errors and conflicts beyond a number are counted, not kept. */
export class Report {
  readonly conflicts: DatabaseConflict[] = [];
  readonly #errors: string[] = [];
  #errorCount = 0;

  get errorCount(): number {
    return this.#errorCount;
  }

  addError(entity: string, words: string): void {
    this.#errorCount++;
    if (this.#errors.length < MOST_LISTED) this.#errors.push(`${entity}: ${words}`);
  }

  addConflict(
    result: EntityResult,
    side: TableSide,
    key: Row,
    conflict: Pick<DatabaseConflict, "kind" | "resolution">,
  ) {
    result.conflicts++;
    if (this.conflicts.length >= MOST_LISTED) return;
    this.conflicts.push({ entity: result.target, key: named(side, key), ...conflict });
  }

  /** As the answer lists them. */
  errors(): string[] {
    const left = this.#errorCount - this.#errors.length;
    return left > 0 ? [...this.#errors, `and ${left} more errors, left out here`] : this.#errors;
  }

  /** A mark to which {@link rewind} goes back, for work that is rolled back and done again. */
  mark(): { conflicts: number; errors: number; errorCount: number } {
    return { conflicts: this.conflicts.length, errors: this.#errors.length, errorCount: this.#errorCount };
  }

  rewind(mark: ReturnType<Report["mark"]>): void {
    this.conflicts.length = mark.conflicts;
    this.#errors.length = mark.errors;
    this.#errorCount = mark.errorCount;
  }
}

/** The columns of a key, or all of a row of a table without one. */
export function keyColumns(side: TableSide): TableSide["columns"] {
  return side.key.length === 0 ? side.columns : side.key.map((i) => side.columns[i]);
}

/** A key's values by their columns' names. */
export function named(side: TableSide, key: Row): Record<string, string | null> {
  return Object.fromEntries(keyColumns(side).map(({ name }, i) => [name, key[i]]));
}

/** A key in words: `id=5000, lang=en`. */
export function keyWords(side: TableSide, key: Row): string {
  return keyColumns(side).map(({ name }, i) => `${name}=${shorten(key[i])}`).join(", ");
}

function shorten(value: string | null): string {
  if (value === null) return "NULL";
  return value.length > MOST_SHOWN ? `${value.slice(0, MOST_SHOWN)}…` : value;
}

/** The key's values of a whole row. */
export function keyOf(side: TableSide, row: Row): Row {
  return side.key.length === 0 ? row : side.key.map((i) => row[i]);
}
