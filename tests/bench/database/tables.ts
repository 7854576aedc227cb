/** The tables: 8 columns, their rows made from a seed, the same on every engine. */
import { DatabaseSync } from "node:sqlite";
import type { MariaDb, TestDatabase } from "../../harness/mariadb.ts";
import { Random } from "../random.ts";
import type { PostgresDatabase } from "./postgres_database.ts";

const COLUMNS = ["id", "account", "amount", "status", "name", "note", "made", "active"];

const POSTGRES_COLUMNS = `id bigint primary key, account integer not null, amount numeric(12,2) not null,
  status varchar(20) not null, name varchar(80) not null, note varchar(200), made timestamp(6) not null, active boolean not null`;

const MARIA_COLUMNS = `id bigint primary key, account int not null, amount decimal(12,2) not null,
  status varchar(20) not null, name varchar(80) not null, note varchar(200), made datetime(6) not null, active boolean not null`;

const SQLITE_COLUMNS =
  `id INTEGER PRIMARY KEY, account INTEGER NOT NULL, amount DECIMAL TEXT(12, 2) NOT NULL, status TEXT NOT NULL,
  name TEXT NOT NULL, note TEXT, made TIMESTAMP TEXT NOT NULL, active BOOLEAN NOT NULL`;

/** Rows with the numbers from `first` to `last` as a query of PostgreSQL. */
function rowsSql(first: number, last: number, seed: number): string {
  return `select n::bigint, (n * 7919 + ${seed}) % 100000, ((n * 104729 + ${seed}) % 100000000 - 1000000) / 100.0,
    (array['new', 'paid', 'shipped', 'returned'])[1 + n % 4], 'Name ' || substr(md5((n + ${seed})::text), 1, 8 + (n % 16)::int),
    case when n % 10 > 0 then md5((n * 3 + ${seed})::text) || ' note' end,
    timestamp '2019-03-01' + (n % 100000000) * interval '1.234567 seconds', n % 3 = 0
    from generate_series(${first}::bigint, ${last}::bigint) n`;
}

/** Makes an empty table. */
export async function makeTable(database: PostgresDatabase, table: string): Promise<void> {
  await database.run(`create table ${table} (${POSTGRES_COLUMNS})`);
}

/** Adds rows from a number to a number, and brings the table's statistics up to date. */
export async function addRows(
  database: PostgresDatabase,
  table: string,
  [first, last]: [first: number, last: number],
  seed: number,
): Promise<void> {
  await database.run(`insert into ${table} ${rowsSql(first, last, seed)}`);
  await database.run(`vacuum analyze ${table}`);
}

/** Loads a table of PostgreSQL into one of the same name in MariaDB, through a file in the server's directory. */
export async function loadMaria(
  source: PostgresDatabase,
  server: MariaDb,
  target: TestDatabase,
  table: string,
): Promise<void> {
  const file = `${server.directory}/${table}.txt`;
  const list = COLUMNS.map((name) => name === "active" ? "active::int" : name).join(", ");
  await source.psql(`copy (select ${list} from ${table} order by id) to stdout`, file);
  await target.run(
    `CREATE TABLE ${table} (${MARIA_COLUMNS}) CHARACTER SET utf8mb4`,
    `LOAD DATA INFILE '${file}' INTO TABLE ${table} CHARACTER SET utf8mb4`,
    `ANALYZE TABLE ${table}`,
  );
  await Deno.remove(file);
}

/** Makes a SQLite file with a table of so many rows. */
export function makeSqliteFile(path: string, table: string, rows: number, seed: number): void {
  using database = new DatabaseSync(path);
  database.exec(`PRAGMA journal_mode = WAL; CREATE TABLE ${table} (${SQLITE_COLUMNS}); BEGIN`);
  const insert = database.prepare(`INSERT INTO ${table} VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
  const random = new Random(seed);
  const statuses = ["new", "paid", "shipped", "returned"];
  for (let id = 1; id <= rows; id++) {
    const text = random.uint32().toString(16);
    const made = new Date(1_550_000_000_000 + id * 1234).toISOString();
    insert.run(
      id,
      random.int(100_000),
      `${random.int(1_000_000)}.${10 + random.int(90)}`.replace(/0$/, ""),
      random.pick(statuses),
      `Name ${text}`,
      random.chance(0.9) ? `${text.repeat(4)} note` : null,
      `${made.slice(0, 10)} ${made.slice(11, 19)}`,
      random.int(2),
    );
  }
  database.exec("COMMIT; ANALYZE");
}

/** Makes a SQLite file with an empty table. */
export function makeEmptySqliteFile(path: string, table: string): void {
  using database = new DatabaseSync(path);
  database.exec(`PRAGMA journal_mode = WAL; CREATE TABLE ${table} (${SQLITE_COLUMNS})`);
}
