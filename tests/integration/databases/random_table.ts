/** Random tables, rows and edits that every engine can keep. */
import {
  literal,
  type PortableType,
  type PortableValue,
  quoteName,
  type TestDatabase,
  TYPES,
} from "../../harness/database_engines.ts";
import type { Random } from "../../harness/random.ts";

export interface RandomColumn {
  name: string;
  type: PortableType;
  nullable: boolean;
}

export interface RandomTable {
  name: string;
  columns: RandomColumn[];
  /** How many of the first columns are the key; 0: none. */
  key: number;
  /** Position of a column whose values rows have for themselves, and give each other. */
  unique?: number;
}

type Row = PortableValue[];

const NAMES = ["name", "Value", "some thing", 'quo"te', "select", "ünï", "back`tick"];
const KEYS: PortableType[][] = [["integer"], ["uuid"], ["date"], ["text"], ["integer", "text"], [
  "text",
  "uuid",
  "date",
], []];
const KINDS: PortableType[] = ["integer", "decimal", "text", "bytes", "date", "timestamp", "uuid", "float", "json"];

export function randomTable(random: Random, name: string): RandomTable {
  const key = random.pick(KEYS);
  const others = Array.from({ length: 1 + random.below(6) }, () => random.pick(KINDS));
  const columns = [...key, ...others].map((type, i): RandomColumn => ({
    name: i < key.length ? `key ${i}` : `${random.pick(NAMES)} ${i}`,
    type,
    nullable: i >= key.length && !random.oneIn(4),
  }));
  if (key.length === 0 || random.oneIn(2)) return { name, columns, key: key.length };
  columns.push({ name: "place", type: "integer", nullable: random.oneIn(2) });
  return { name, columns, key: key.length, unique: columns.length - 1 };
}

/** Makes the table, with its columns in an order of the engine's own. */
export async function createTable({ engine, run }: TestDatabase, table: RandomTable, random: Random): Promise<void> {
  const columns = table.columns.map(({ name, type, nullable }, i) => {
    // MariaDB and SQLite want to know how much of a text is a key.
    const spelled = TYPES[engine][type];
    const end = i === table.unique ? " UNIQUE" : "";
    return `${quoteName(engine, name)} ${spelled} ${nullable && i >= table.key ? "" : "NOT NULL"}${end}`;
  });
  const order = [...columns.keys()].sort(() => random.below(3) - 1);
  const lines = order.map((i) => columns[i]);
  if (table.key > 0) {
    const names = table.columns.slice(0, table.key).map(({ name }) => quoteName(engine, name));
    lines.push(`PRIMARY KEY (${names.join(", ")})`);
  }
  await run(`CREATE TABLE ${quoteName(engine, table.name)} (${lines.join(", ")})`);
}

const TEXTS = [
  "",
  " ",
  "a",
  "A",
  "ä",
  "trailing  ",
  "tab\tnew\nline",
  "it's",
  'quo"te',
  "back\\slash",
  "😀",
  "N",
  "1:x",
  "%s $1",
];

function randomValue(random: Random, type: PortableType): string {
  switch (type) {
    case "integer":
      return random.oneIn(8)
        ? random.pick(["9223372036854775807", "-9223372036854775808", "0", "9007199254740993"])
        : String(random.below(100_000) - 50_000);
    case "decimal": {
      const digits = String(random.below(1_000_000_000));
      const fraction = random.oneIn(2) ? `.${1 + random.below(9)}` : random.oneIn(2) ? ".000001" : "";
      return `${random.oneIn(3) ? "-" : ""}${Number(digits) + 1}${fraction}`;
    }
    case "text":
      return random.oneIn(3) ? random.pick(TEXTS) : `${random.pick(TEXTS)}${random.below(100_000)}`;
    case "bytes":
      return random.bytes(random.below(20)).toHex();
    case "date":
      return `${1000 + random.below(8999)}-${two(1 + random.below(12))}-${two(1 + random.below(28))}`;
    case "timestamp": {
      const time = `${two(random.below(24))}:${two(random.below(60))}:${two(random.below(60))}`;
      const fraction = random.pick(["", ".5", ".123456", ".000001"]);
      return `${randomValue(random, "date")} ${time}${fraction}`;
    }
    case "uuid": {
      const hex = random.bytes(16).toHex();
      // MariaDB takes none without a version and a variant.
      return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20)].join(
        "-",
      );
    }
    case "float":
      return String(random.pick([0.5, 0.1, 1e20, 1.5e-7, -123456.789, 1 / 3, 7]) * (1 + random.below(50)));
    case "json":
      return random.pick(['{"a":1,"b":[1,2,null]}', "[]", '"text"', "12", "null", '{"ü":{"x":"\\n"}}', "true"]);
  }
}

function two(n: number): string {
  return String(n).padStart(2, "0");
}

export function randomRow(random: Random, { columns, key, unique }: RandomTable): Row {
  return columns.map(({ type, nullable }, i) => {
    if (i === unique) return nullable && random.oneIn(4) ? null : String(random.below(PLACES));
    return nullable && random.oneIn(4) ? null : i < key ? randomKey(random, type) : randomValue(random, type);
  });
}

const PLACES = 10_000;

/** Few enough that keys meet again. */
function randomKey(random: Random, type: PortableType): string {
  const n = random.below(4000);
  switch (type) {
    case "integer":
      return String(random.oneIn(50) ? BigInt(n) + 9007199254740993n : n - 2000);
    case "uuid":
      return `00000000-0000-4000-8000-${String(n * 7919).padStart(12, "0")}`;
    case "date":
      return new Date(Date.UTC(1890, 0, 1 + n)).toISOString().slice(0, 10);
    default:
      return `${TEXTS[n % TEXTS.length].replaceAll(/\s/g, "_")}${n % 700}`;
  }
}

/** Inserts rows; of those with one key only one. */
export async function insertRows({ engine, run }: TestDatabase, table: RandomTable, rows: Row[]): Promise<void> {
  const names = table.columns.map(({ name }) => quoteName(engine, name)).join(", ");
  for (let at = 0; at < rows.length; at += 500) {
    const values = rows.slice(at, at + 500).map((row) => {
      return `(${row.map((value, i) => literal(engine, table.columns[i].type, value)).join(", ")})`;
    });
    const [verb, end] = engine === "mysql"
      ? ["INSERT IGNORE", ""]
      : engine === "sqlite"
      ? ["INSERT OR IGNORE", ""]
      : ["INSERT", "ON CONFLICT DO NOTHING"];
    await run(`${verb} INTO ${quoteName(engine, table.name)} (${names}) VALUES ${values.join(", ")} ${end}`);
  }
}

/** Deletes, changes and inserts some rows. */
export async function editRows(database: TestDatabase, table: RandomTable, random: Random): Promise<void> {
  const { engine, run } = database;
  const name = quoteName(engine, table.name);
  const some = (share: number) => {
    const [{ name, type }] = table.columns;
    const column = quoteName(engine, name);
    const text = engine === "mysql" ? `CAST(${column} AS CHAR)` : `CAST(${column} AS text)`;
    return `${type === "bytes" ? `hex(${column})` : text} LIKE '%${random.below(share)}'`;
  };
  const canSelect = !(table.columns[0].type === "bytes" && engine === "postgres");
  if (canSelect && random.oneIn(2)) await run(`DELETE FROM ${name} WHERE ${some(30)}`);
  if (table.unique !== undefined) await exchange(database, table, random);
  for (const { name: column, type } of table.columns.slice(table.key, table.unique)) {
    if (!canSelect || random.oneIn(3)) continue;
    const value = literal(engine, type, randomValue(random, type));
    await run(`UPDATE ${name} SET ${quoteName(engine, column)} = ${value} WHERE ${some(20)}`);
  }
  await insertRows(database, table, Array.from({ length: random.below(60) }, () => randomRow(random, table)));
}

/** Lets some rows take each other's unique values, in a circle. */
async function exchange({ engine, run }: TestDatabase, table: RandomTable, random: Random): Promise<void> {
  const name = quoteName(engine, table.name);
  const found = await run(`SELECT place FROM ${name} WHERE place IS NOT NULL ORDER BY place`);
  const places = found.map(([place]) => place).filter(() => random.oneIn(20));
  const statements = [
    ...places.map((place, i) => `UPDATE ${name} SET place = ${-1 - i} WHERE place = ${place}`),
    ...places.map((_, i) => `UPDATE ${name} SET place = ${places[(i + 1) % places.length]} WHERE place = ${-1 - i}`),
  ];
  if (statements.length > 0) await run(...statements);
}
