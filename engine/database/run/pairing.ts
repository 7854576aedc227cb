import type { Column, Form, Table, TableSide } from "../types.ts";
import { pairColumns } from "../forms.ts";

/** An entity's tables, with their columns paired by position. */
export interface TablePair {
  source: TableSide;
  target: TableSide;
  /** What a user should know of how columns travel. */
  notes: string[];
}

export interface PairingOptions {
  /** The entity as the user wrote it. */
  entity: string;
  /** The only columns to compare and carry. */
  columns: string[] | undefined;
  filter: string | undefined;
  twoWay: boolean;
}

/** Pairs two tables' columns by name, exactly first, then ignoring case. Whatever stands in the way is added to `problems`. */
export function pairTables(
  source: Table,
  target: Table,
  options: PairingOptions,
  problems: string[],
): TablePair | undefined {
  const found: string[] = [];
  const notes: string[] = [];
  if (target.kind === "view") found.push("the target is a view; a view can only be a source");
  if (source.kind === "view" && options.twoWay) found.push("the source is a view, which cannot be written");
  const wanted = options.columns === undefined ? undefined : new Set<string>();
  for (const name of options.columns ?? []) {
    const column = findName(source.columns, name);
    if (column === undefined) found.push(`columns names "${name}", which the source does not have`);
    else wanted?.add(column.name);
  }
  const pairs: [Column, Column, Form][] = [];
  const free = new Set(target.columns);
  const unmatched: Column[] = [];
  const match = (column: Column, other: Column | undefined) => {
    if (other === undefined) return void unmatched.push(column);
    free.delete(other);
    if (wanted !== undefined && !wanted.has(column.name)) return void free.add(other);
    if (other.generated || column.generated && options.twoWay) return;
    const paired = pairColumns(column, other);
    if (paired.form === undefined) return void found.push(paired.reason);
    pairs.push([column, other, paired.form]);
    if (paired.note !== undefined) notes.push(paired.note);
  };
  const inexact = source.columns.filter((column) => {
    const same = target.columns.find(({ name }) => name === column.name);
    if (same !== undefined) match(column, same);
    return same === undefined;
  });
  for (const column of inexact) match(column, findName([...free], column.name));
  for (const { name, generated } of unmatched) {
    if (wanted === undefined ? !generated : wanted.has(name)) found.push(`the target has no column "${name}"`);
    else if (wanted === undefined) notes.push(`${name}: is computed in the source and not in the target`);
  }
  for (const column of free) {
    const { name, generated, nullable, hasDefault, identity } = column;
    if (generated) continue;
    if (wanted === undefined) found.push(`the source has no column "${name}"`);
    else if (!nullable && !hasDefault && !identity) {
      found.push(`columns leaves out "${name}", which the target must be given a value for`);
    }
  }
  const key = chooseKey(source, target, pairs);
  if (pairs.length === 0 && found.length === 0) found.push("the two tables have no column in common");
  if (wanted !== undefined && key.length === 0 && target.key.length > 0) {
    found.push(`columns must name the key: ${target.key.map((name) => `"${name}"`).join(", ")}`);
  }
  if (options.twoWay && key.length === 0) {
    found.push("direction two-way needs a primary or unique key, and there is none");
  }
  if (found.length > 0) {
    problems.push(...found.map((problem) => `${options.entity}: ${problem}`));
    return undefined;
  }
  const filter = options.filter === undefined ? {} : { filter: options.filter };
  const forms = pairs.map(([, , form]) => form);
  return {
    source: { table: source, columns: pairs.map(([column]) => column), forms, key, ...filter },
    target: { table: target, columns: pairs.map(([, column]) => column), forms, key, ...filter },
    notes,
  };
}

/** Exactly, else ignoring case where that names one. */
function findName(columns: Column[], name: string): Column | undefined {
  const exact = columns.find((column) => column.name === name);
  if (exact !== undefined) return exact;
  const similar = columns.filter((column) => column.name.toLowerCase() === name.toLowerCase());
  return similar.length === 1 ? similar[0] : undefined;
}

/**
 * Positions of the columns by which rows are told apart: a key of both tables where there is one, else the target's, for what
 * goes there must be distinct by it. Empty where the target has none.
 */
function chooseKey(source: Table, target: Table, pairs: [Column, Column, Form][]): number[] {
  const at = (side: 0 | 1, key: string[]) => key.map((name) => pairs.findIndex((pair) => pair[side].name === name));
  const usable = (side: 0 | 1) => (key: number[]) => {
    return key.length > 0 && key.every((i) => i >= 0 && !pairs[i][side].nullable);
  };
  const sources = [source.key, ...source.unique].map((key) => at(0, key)).filter(usable(0));
  const targets = [target.key, ...target.unique].map((key) => at(1, key)).filter(usable(1));
  const isSame = (a: number[], b: number[]) => a.length === b.length && a.every((i) => b.includes(i));
  return targets.find((key) => sources.some((other) => isSame(key, other))) ?? targets[0] ?? [];
}
