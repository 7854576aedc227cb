import { DatabaseError } from "../error.ts";
import type { Table } from "../types.ts";
import { quoteText } from "./quote.ts";
import type { Session } from "./session.ts";

/** What a writer must know of a table beyond its description. */
export interface TableFacts {
  /** Columns that an update sets to the current time unless it says what they shall be. */
  setByUpdates: string[];
}

/** @throws DatabaseError `read-only` where nothing can be written that could be taken back */
export async function tableFacts(session: Session, table: Table): Promise<TableFacts> {
  if (table.kind === "view") throw new DatabaseError("read-only", "a view is not written", { table: table.id });
  const here = `TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ${quoteText(table.name)}`;
  const storage = await session.rows(
    `SELECT t.ENGINE, e.TRANSACTIONS FROM information_schema.TABLES t
     LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE WHERE ${here.replaceAll("TABLE_", "t.TABLE_")}`,
  );
  if (storage.length === 0) throw new DatabaseError("missing", "the table is not there", { table: table.id });
  const [[engine, transactions]] = storage;
  if (transactions !== "YES") {
    const words =
      `it is stored by ${engine}, which has no transactions; ALTER TABLE … ENGINE = InnoDB makes it one that has`;
    throw new DatabaseError("read-only", words, { table: table.id });
  }
  const columns = await session.rows(
    `SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE ${here} AND EXTRA LIKE '%on update%'`,
  );
  return { setByUpdates: columns.map(([name]) => name!) };
}
