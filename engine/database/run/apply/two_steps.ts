import type { RowUpdate, Writer } from "../../dialect.ts";
import type { LineFile } from "../line_file.ts";
import type { ChangeLine } from "../plan.ts";
import type { ForeignKey } from "../../types.ts";
import { type Effect, naming } from "./divide.ts";
import { differing, type EntityWriter } from "./entity_writer.ts";
import { vacated } from "./placeholder.ts";
import { itemBatches, type WriteItem } from "./write_item.ts";

/**
 * Updates rows that take each other's unique values: first all give up theirs for values that nobody has, then each gets its own.
 * @param prepare the rows as they are to be for now
 */
export function swapUnique(
  target: EntityWriter,
  lines: LineFile<ChangeLine>,
  prepare: (items: WriteItem[]) => WriteItem[],
  checkpoint: () => void,
) {
  return async (writer: Writer): Promise<Effect> => {
    const effects: Effect[] = [];
    const left = new Set<string>();
    const name = ({ line: [, key] }: WriteItem) => JSON.stringify(key);
    for await (const items of itemBatches(lines.read(), target.batchSize, (lines) => target.fetch(lines))) {
      checkpoint();
      const { updates, ready, guarded } = await target.lock(writer, items);
      effects.push(guarded);
      const going = new Set(ready);
      for (const item of items) if (!going.has(item)) left.add(name(item));
      const first: RowUpdate[] = [];
      for (const { key, row, changed } of updates) {
        const away = vacated(target.table, row, changed);
        if (away !== undefined) first.push({ key, ...away });
      }
      if (first.length > 0) await writer.update(target.table, first);
    }
    for await (const items of itemBatches(lines.read(), target.batchSize, (lines) => target.fetch(lines))) {
      checkpoint();
      const going = items.filter((item) => !left.has(name(item)));
      await finishRows(target, writer, prepare(going));
      effects.push(() => target.counted("updated", going.length));
    }
    return () => effects.forEach((effect) => effect());
  };
}

/**
 * Takes the unique values of rows that will be deleted later, when nothing refers to them any more, for others to have.
 * @param remaining is given the rows as they are then
 */
export function vacate(
  target: EntityWriter,
  lines: LineFile<ChangeLine>,
  remaining: LineFile<ChangeLine>,
  checkpoint: () => void,
) {
  return async (writer: Writer): Promise<Effect> => {
    const { table, plan } = target;
    const free = [...table.columns.keys()].filter((i) => !table.key.includes(i));
    const effects: Effect[] = [];
    for await (const items of itemBatches(lines.read(), target.batchSize, noRows)) {
      checkpoint();
      const { ready, found, guarded } = await target.lockAsSeen(writer, items);
      effects.push(guarded);
      const updates = ready.flatMap(({ line: [, key] }, i): RowUpdate[] => {
        const away = vacated(table, found[i], free);
        return away === undefined ? [] : [{ key, ...away }];
      });
      if (updates.length > 0) await writer.update(table, updates);
      const now = await writer.lock(table, plan.method, ready.map(({ line: [, key] }) => key));
      target.noteWrites(ready.map(({ line }, i) => [line, now[i]?.hash]));
      effects.push(() => {
        for (const [i, { line: [bucket, key] }] of ready.entries()) {
          remaining.add([bucket, key, now[i]?.hash.toString(16) ?? null, null, null, true]);
        }
      });
    }
    return () => effects.forEach((effect) => effect());
  };
}

/** What is to be deleted has no new row. */
const noRows = (lines: ChangeLine[]) => Promise.resolve(lines.map(() => undefined));

/** Rows of one entity that are to be deleted, and the foreign keys by which they may refer to others of the circle. */
export interface CirclePart {
  target: EntityWriter;
  keys: ForeignKey[];
  lines: LineFile<ChangeLine>;
}

/**
 * Deletes rows of tables that refer to each other, or to themselves: first none refers to another, then all go.
 *
 * @param parts in the order in which they are deleted
 * @param onPart is told whose rows it is about
 */
export function deleteCircle(parts: CirclePart[], checkpoint: () => void, onPart: (target: EntityWriter) => void) {
  return async (writer: Writer): Promise<Effect> => {
    const effects: Effect[] = [];
    const gone = new Map<EntityWriter, Set<string>>();
    for (const { target, keys, lines } of parts) {
      onPart(target);
      gone.set(target, await clearReferences(writer, target, { keys, lines }, { checkpoint, effects }));
    }
    for (const { target, lines } of parts) {
      onPart(target);
      for await (const items of itemBatches(lines.read(), target.batchSize, noRows)) {
        checkpoint();
        const going = items.filter(({ line: [, key] }) => gone.get(target)?.has(JSON.stringify(key)));
        const keys = going.map(({ line: [, key] }) => key);
        if (keys.length > 0) await naming(going, () => writer.delete(target.table, keys));
        effects.push(() => target.counted("deleted", keys.length));
      }
    }
    return () => effects.forEach((effect) => effect());
  };
}

/** Locks rows that are to be deleted and sets what may be NULL of their references to it. @returns the keys of those that may go */
async function clearReferences(
  writer: Writer,
  target: EntityWriter,
  { keys, lines }: Pick<CirclePart, "keys" | "lines">,
  { checkpoint, effects }: { checkpoint: () => void; effects: Effect[] },
): Promise<Set<string>> {
  const ready = new Set<string>();
  const cleared = nullable(target, keys);
  for await (const items of itemBatches(lines.read(), target.batchSize, noRows)) {
    checkpoint();
    const seen = await target.lockAsSeen(writer, items);
    effects.push(seen.guarded);
    const updates = seen.ready.flatMap(({ line: [, key] }, i): RowUpdate[] => {
      const changed = cleared.filter((at) => seen.found[i][at] !== null);
      return changed.length === 0 ? [] : [{ key, row: without(seen.found[i], changed), changed }];
    });
    if (updates.length > 0) await writer.update(target.table, updates);
    for (const { line: [, key] } of seen.ready) ready.add(JSON.stringify(key));
  }
  return ready;
}

/** Gives rows that are locked or inserted by this run their values. */
export async function finishRows(target: EntityWriter, writer: Writer, items: WriteItem[]): Promise<Effect> {
  const { table, plan } = target;
  const found = await writer.lock(table, plan.method, items.map(({ line: [, key] }) => key));
  const updates: RowUpdate[] = [];
  const ready: WriteItem[] = [];
  for (const [i, item] of items.entries()) {
    const row = item.row as RowUpdate["row"];
    const now = found[i]?.row;
    const changed = now === undefined ? [] : differing(row, now);
    if (changed.length === 0) continue;
    updates.push({ key: item.line[1], row, changed });
    ready.push(item);
  }
  if (updates.length > 0) await naming(ready, () => writer.update(table, updates));
  return () => {};
}

/** Positions of the columns of foreign keys that may be NULL, of each key at least one, or none at all. */
export function nullable({ table }: EntityWriter, keys: ForeignKey[]): number[] {
  const positions: number[] = [];
  for (const { columns } of keys) {
    const at = columns.map((name) => table.columns.findIndex((column) => column.name === name));
    const free = at.filter((i) => i >= 0 && table.columns[i].nullable && !table.key.includes(i));
    if (free.length === 0) return [];
    positions.push(...free);
  }
  return [...new Set(positions)];
}

export function without(row: RowUpdate["row"], positions: number[]): RowUpdate["row"] {
  return row.map((value, i) => positions.includes(i) ? null : value);
}
