import type { CarriedRows, FindCarrier, RowCarrier, Writer } from "../dialect.ts";
import { DatabaseError } from "../error.ts";
import type { Row, TableSide } from "../types.ts";
import { linesIn } from "./copy_text.ts";
import { haveSameTypes } from "./direct_copy.ts";
import { reference } from "./expressions.ts";
import { keyCondition } from "./find_rows.ts";
import { rowHashSql, type ServerMethod } from "./hash_sql.ts";
import { arrayText, literal, quote, quoteTable } from "./identifier.ts";
import { assertThere, copyInto } from "./insert.ts";
import { copyInSavepoint } from "./savepoint.ts";
import { fromClause } from "./select.ts";
import type { Session } from "./session.ts";
import { PostgresSnapshot } from "./snapshot.ts";
import { COPY_TEMPORARY, createTemporary, DROP_TEMPORARY, TEMPORARY } from "./temporary_table.ts";
import { sameKey } from "./update.ts";
import { PostgresWriter } from "./writer.ts";

/** Lines of COPY, as the source's server has made them. */
interface Lines extends CarriedRows {
  pieces: Uint8Array[];
  keys: Row[];
}

/** What one server's COPY sends is what the other's takes, where the columns are of the same types. */
export const carrier: FindCarrier = ({ snapshot, side: from }, to, method) => {
  if (!(snapshot instanceof PostgresSnapshot) || to.table.kind === "view") return undefined;
  // A filter may hold for a row no more, which the row's hash does not tell.
  if (from.key.length === 0 || from.filter !== undefined || !haveSameTypes(from, to)) return undefined;
  const insert: RowCarrier = {
    read: (keys, replaced) => read(snapshot, from, keys, replaced),
    insert: (writer, rows) => insertLines(sessionOf(writer), to, rows as Lines),
  };
  if (method === "client" || !canWriteAll(to)) return insert;
  return {
    ...insert,
    update: (writer, rows) => updateLines(sessionOf(writer), to, method, rows as Lines),
  };
};

/** Whether nobody can tell that columns were written that did not change. */
function canWriteAll({ table, columns, key }: TableSide): boolean {
  return table.kind === "table" && !table.triggers && columns.length > key.length &&
    columns.every(({ identity }, at) => !identity || key.includes(at));
}

/** Positions of the columns in a temporary table: the key's come first. */
function keyFirst({ columns, key }: TableSide): number[] {
  return [...key, ...[...columns.keys()].filter((at) => !key.includes(at))];
}

function sessionOf(writer: Writer): Session {
  if (!(writer instanceof PostgresWriter)) throw new Error("Cannot carry rows to another engine");
  return writer.session;
}

async function read(
  { lanes }: PostgresSnapshot,
  side: TableSide,
  keys: Row[],
  replaced: bigint[] | undefined,
): Promise<Lines> {
  const columns = replaced === undefined
    ? side.columns.map(reference)
    : ["k.replaced", ...keyFirst(side).map((at) => reference(side.columns[at]))];
  const sql = `copy (select ${columns.join(", ")} ${wantedRows(side, keys, replaced)}) to stdout`;
  const lines: Lines = { pieces: [], keys, rows: 0, bytes: 0 };
  for await (const piece of lanes.stream((lane) => lane.copyOut(sql, { table: side.table.id }))) {
    lines.pieces.push(piece);
    lines.rows += linesIn(piece);
    lines.bytes += piece.length;
  }
  return lines;
}

/** The rows `t` with these keys, with what is given of each as `k`. */
function wantedRows(side: TableSide, keys: Row[], replaced: bigint[] | undefined): string {
  const from = fromClause(side);
  const [at] = side.key;
  if (replaced === undefined && side.key.length === 1 && side.columns[at].logical.kind === "integer") {
    // One walk along the index.
    return `${from} where ${reference(side.columns[at])} = any(${literal(`{${keys.join()}}`)}::bigint[])`;
  }
  const arrays = side.key.map((_, n) => `${literal(arrayText(keys.map((key) => key[n])))}::text[]`);
  const names = side.key.map((_, n) => `k${n}`);
  if (replaced !== undefined) {
    arrays.push(`'{${replaced.map((hash) => BigInt.asIntN(64, hash)).join()}}'::bigint[]`);
    names.push("replaced");
  }
  return `${from}, unnest(${arrays.join(", ")}) k(${names.join(", ")}) where ${keyCondition(side)}`;
}

async function insertLines(session: Session, side: TableSide, { pieces, keys, rows }: Lines): Promise<number> {
  const [inserted] = await copyInSavepoint(session, [copyInto(side)], pieces, { table: side.table.id });
  if (inserted < rows) await assertThere(session, side, keys);
  return rows;
}

/** In one statement that sees for itself which rows are still as they were. */
async function updateLines(
  session: Session,
  side: TableSide,
  method: ServerMethod,
  { pieces }: Lines,
): Promise<number> {
  const positions = keyFirst(side);
  const settings = positions.flatMap((at, n) => {
    return n < side.key.length ? [] : [`${quote(side.columns[at].name)} = s.c${n}`];
  });
  const update = `update ${quoteTable(side.table)} t set ${settings.join(", ")} from ${TEMPORARY} s ` +
    `where ${sameKey(side)} and ${rowHashSql(side, method)} = s.number`;
  const statements = [createTemporary(side, positions), COPY_TEMPORARY, update, DROP_TEMPORARY];
  try {
    return (await copyInSavepoint(session, statements, pieces, { table: side.table.id }))[statements.indexOf(update)];
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.kind !== "permission") throw error;
    // The columns that change may be allowed where others are not.
    throw new DatabaseError("other", error.message, error.place);
  }
}
