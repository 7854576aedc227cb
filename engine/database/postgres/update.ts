import type { RowUpdate } from "../dialect.ts";
import { DatabaseError } from "../error.ts";
import type { TableSide } from "../types.ts";
import { equalityIsIdentity, reference } from "./expressions.ts";
import { quote, quoteTable } from "./identifier.ts";
import { inSavepoint } from "./savepoint.ts";
import type { Session } from "./session.ts";
import { TEMPORARY, withTemporaryRows } from "./temporary_table.ts";

/** Writes the changed columns of rows. */
export async function updateRows(session: Session, side: TableSide, updates: RowUpdate[]): Promise<void> {
  try {
    await inSavepoint(session, () => updateGroups(session, side, updates));
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.kind !== "unique") throw error;
    const free = freeable(side, updates);
    if (free.length === 0) throw error;
    // Rows that give each other their unique values: all let go of them first.
    await inSavepoint(session, async () => {
      await release(session, side, updates, free);
      await updateGroups(session, side, updates);
    });
  }
}

/** One statement for each set of changed columns. */
async function updateGroups(session: Session, side: TableSide, updates: RowUpdate[]): Promise<void> {
  const groups = new Map<string, { changed: number[]; members: number[] }>();
  for (const [at, { changed }] of updates.entries()) {
    const name = changed.join();
    const group = groups.get(name);
    if (group !== undefined) group.members.push(at);
    else if (changed.length > 0) groups.set(name, { changed, members: [at] });
  }
  for (const { changed, members } of groups.values()) {
    try {
      await updateGroup(session, side, changed, members.map((at) => updates[at]));
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.place.row === undefined) throw error;
      throw new DatabaseError(error.kind, error.message, { ...error.place, row: members[error.place.row] });
    }
  }
}

async function updateGroup(session: Session, side: TableSide, changed: number[], updates: RowUpdate[]): Promise<void> {
  const settings = changed.map((at, n) => `${quote(side.columns[at].name)} = s.c${side.key.length + n}`);
  await write(session, side, changed, updates, settings);
}

/** Sets unique columns to NULL, in the rows that are to have another value there. */
async function release(session: Session, side: TableSide, updates: RowUpdate[], free: number[]): Promise<void> {
  for (const at of free) {
    const moving = updates.filter(({ changed }) => changed.includes(at));
    await write(session, side, [], moving, [`${quote(side.columns[at].name)} = null`]);
  }
}

async function write(
  session: Session,
  side: TableSide,
  carried: number[],
  updates: RowUpdate[],
  settings: string[],
): Promise<void> {
  const rows = updates.map(({ key, row }) => {
    const whole = [...row];
    for (const [n, at] of side.key.entries()) whole[at] = key[n];
    return whole;
  });
  const written = await withTemporaryRows(session, side, [...side.key, ...carried], rows, () =>
    session.execute(
      `update ${quoteTable(side.table)} t set ${settings.join(", ")} from ${TEMPORARY} s where ${sameKey(side)}`,
      [],
      { table: side.table.id },
    ));
  if (written !== updates.length) {
    const words = `${written} rows of ${side.table.id} took an update that was for ${updates.length}`;
    throw new DatabaseError("other", `${words}: a trigger or a rule is in the way`, { table: side.table.id });
  }
}

/** The condition that a row `t` has the key of a row `s`, whose columns begin with it. */
export function sameKey(side: TableSide): string {
  return side.key.map((at, n) => {
    const column = side.columns[at];
    const equal = `${reference(column)} = s.c${n}`;
    return equalityIsIdentity(column) ? equal : `${equal} and ${reference(column)}::text = s.c${n}::text collate "C"`;
  }).join(" and ");
}

/** Changed columns of unique keys that may be NULL for a moment. */
function freeable(side: TableSide, updates: RowUpdate[]): number[] {
  const changed = new Set(updates.flatMap((update) => update.changed));
  const unique = new Set(side.table.unique.flat());
  return side.columns.flatMap(({ name, nullable }, at) => nullable && unique.has(name) && changed.has(at) ? [at] : []);
}
