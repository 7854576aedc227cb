/** What the parts of the writer share. */
import { Buffer } from "node:buffer";
import { DatabaseError } from "../error.ts";
import type { Row, TableSide } from "../types.ts";
import { errorNumber, withPlace } from "./error.ts";
import { type Fit, fitting } from "./fitting.ts";
import type { ServerFacts } from "./server.ts";
import type { Outcome, Session } from "./session.ts";

/** A transaction's connection. */
export interface Writing {
  session: Session;
  server: ServerFacts;
  /** Tables into which rows cannot be loaded, for whatever reason. */
  notLoaded: Set<string>;
}

/** Server errors that are about rows of several tables: a row that is referred to, a row that refers to none. */
export const IS_REFERRED_TO = 1451;
export const REFERS_TO_NONE = 1452;

/** Warnings that a value was changed to fit. */
const CHANGED: ReadonlySet<string> = new Set(["1264", "1265", "1292", "1366", "1406"]);

const SAVEPOINT = "`#syncline`";

/** Runs `work`; where it throws, the transaction is as it was before, unless it is over. */
export async function atomically<T>({ session }: Writing, side: TableSide, work: () => Promise<T>): Promise<T> {
  await session.run(`SAVEPOINT ${SAVEPOINT}`);
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    if (error.place.aborts !== true) await session.run(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
    throw withPlace(error, { table: side.table.id });
  }
}

/** Bytes of a UTF-16 unit in UTF-8, at most. */
const UNIT_BYTES = 3;

/** A statement that the server would refuse by ending the connection. */
class TooLong extends DatabaseError {
  constructor(bytes: number, most: number) {
    super("value", `it takes a statement of ${bytes} bytes, and the server's max_allowed_packet is ${most}`);
  }
}

/** Runs a statement that writes. What the server would change without an error is refused before; this is the net below that. */
export async function writeStrictly({ session, server }: Writing, sql: string): Promise<Outcome> {
  if (sql.length * UNIT_BYTES >= server.maxPacket) {
    const bytes = Buffer.byteLength(sql);
    if (bytes >= server.maxPacket) throw new TooLong(bytes, server.maxPacket);
  }
  const outcome = await session.run(sql);
  if (outcome.warnings === 0) return outcome;
  const changed = (await session.rows("SHOW WARNINGS")).find(([, number]) => CHANGED.has(number!));
  if (changed === undefined) return outcome;
  throw new DatabaseError("value", `the server would change a value: ${changed[2]}`);
}

/** Runs `work` without the checks of foreign keys, which it must make up for. */
export async function unchecked<T>({ session }: Writing, work: () => Promise<T>): Promise<T> {
  await session.run("SET SESSION foreign_key_checks = 0");
  try {
    return await work();
  } finally {
    await session.run("SET SESSION foreign_key_checks = 1");
  }
}

/** Whether a table refers to itself: rows of one statement may then need each other, which the server checks row by row. */
export function refersToItself({ table }: TableSide): boolean {
  return table.foreignKeys.some((key) => key.table === table.id);
}

export function isNumber(error: unknown, number: number): boolean {
  return errorNumber(error) === number;
}

const fits = new WeakMap<TableSide, (Fit | undefined)[]>();

/** The checks of a side's values. */
export function fitsOf(side: TableSide): (Fit | undefined)[] {
  let checks = fits.get(side);
  if (checks === undefined) fits.set(side, checks = side.columns.map((column, at) => fitting(column, side.forms[at])));
  return checks;
}

/** The error of a statement of one row, with its number; where the row was too long, with the column that is longest. */
export function withRow(error: DatabaseError, side: TableSide, row: Row, number: number): DatabaseError {
  if (!(error instanceof TooLong)) return withPlace(error, { row: number });
  const length = (at: number) => row[at]?.length ?? 0;
  const longest = [...row.keys()].reduce((longest, at) => length(at) > length(longest) ? at : longest);
  return withPlace(error, { row: number, column: side.columns[longest].name });
}

/** @throws DatabaseError `value` or `not-null` for what a column would change rather than refuse */
export function checkValues(side: TableSide, row: Row, positions: number[], number: number): void {
  const checks = fitsOf(side);
  for (const at of positions) {
    const value = row[at];
    const { name, nullable } = side.columns[at];
    const place = { table: side.table.id, column: name, row: number };
    // Numbered columns, and some times, would become something else.
    if (value === null && !nullable) throw new DatabaseError("not-null", "the column holds no NULL", place);
    const reason = value === null ? undefined : checks[at]?.(value);
    if (reason !== undefined) throw new DatabaseError("value", reason, place);
  }
}
