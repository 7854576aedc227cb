import { DatabaseSync } from "node:sqlite";
import { type TestDatabase, testDialect, type TypeExample } from "../conformance_testing.ts";
import { sqlite } from "./dialect.ts";

/** A file of its own in the write-ahead mode, in which readers and a writer do not wait for each other. */
async function database(): Promise<TestDatabase> {
  const directory = await Deno.makeTempDir({ prefix: "syncline-sqlite-" });
  const path = `${directory}/test.db`;
  const other = new DatabaseSync(path, { timeout: 5000 });
  other.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF");
  return {
    spec: { engine: "sqlite", database: path, ssl: "disable", connectTimeoutMs: 1000 },
    // deno-lint-ignore require-await
    async run(sql) {
      other.exec(sql);
    },
    async [Symbol.asyncDispose]() {
      other.close();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

const types: TypeExample[] = [
  {
    type: "INTEGER",
    form: "integer",
    key: true,
    values: [
      ["0", "0"],
      ["-9223372036854775808", "-9223372036854775808"],
      ["9223372036854775807", "9223372036854775807"],
      ["9007199254740993", "9007199254740993"],
    ],
    refused: ["9223372036854775808", "-9223372036854775809"],
  },
  {
    type: "DECIMAL(20, 2)",
    form: "decimal",
    key: true,
    values: [["12.50", "12.5"], ["0.1", "0.1"], ["-3", "-3"], ["9223372036854775807", "9223372036854775807"]],
    refused: ["12345678901234567.89", "0.1234567890123456789"],
  },
  {
    type: "DECIMAL TEXT(38, 10)",
    form: "decimal",
    key: true,
    values: [
      ["'12345678901234567890.0123456789'", "12345678901234567890.0123456789"],
      ["'1.50'", "1.5"],
      ["'-0'", "0"],
      ["'NaN'", "NaN"],
    ],
  },
  {
    type: "REAL",
    form: "float",
    values: [
      ["0.1", "0.1"],
      ["1", "1"],
      ["1e300", "1e+300"],
      ["5e-324", "5e-324"],
      ["9e999", "Infinity"],
      ["-9e999", "-Infinity"],
      ["'NaN'", "NaN"],
      ["9007199254740993.0", "9007199254740992"],
    ],
    refused: ["-0"],
  },
  { type: "BOOLEAN", form: "boolean", values: [["TRUE", "1"], ["0", "0"], ["'false'", "0"]] },
  {
    type: "TEXT",
    form: "text",
    key: true,
    values: [
      ["''", ""],
      ["'a'", "a"],
      ["'A'", "A"],
      ["'a '", "a "],
      ["'größe \u{1f600} \ufffd'", "größe \u{1f600} \ufffd"],
      ["'a' || char(0) || 'b'", "a\0b"],
      ["'a' || char(0)", "a\0"],
      ["'123'", "123"],
      ["'it''s \" \\ '", "it's \" \\ "],
    ],
  },
  {
    type: "STRING",
    form: "native",
    key: true,
    values: [["'abc'", "'abc'"], ["123", "123"], ["1.5", "1.5"], ["'a' || char(0)", "'a\0'"], ["x'00FF'", "X'00ff'"]],
    refused: ["'1\0'"],
  },
  {
    type: "BLOB",
    form: "bytes",
    key: true,
    values: [["x''", ""], ["x'00ff61'", "00ff61"], ["'größe'", "6772c3b6c39f65"]],
  },
  {
    type: "DATE",
    form: "date",
    key: true,
    values: [["'2024-02-29'", "2024-02-29"], ["'0044-03-15 BC'", "0044-03-15 BC"], [
      "'1753-01-01 00:00:00'",
      "1753-01-01",
    ]],
  },
  { type: "TIME", form: "time", key: true, values: [["'10:30:00.50'", "10:30:00.5"], ["'23:59'", "23:59:00"]] },
  {
    type: "DATETIME",
    form: "timestamp",
    key: true,
    values: [
      ["'2024-01-15T10:30:00Z'", "2024-01-15 10:30:00"],
      ["'2024-01-15 10:30:00.123456'", "2024-01-15 10:30:00.123456"],
      ["'infinity'", "infinity"],
      ["'294276-12-31 23:59:59'", "294276-12-31 23:59:59"],
    ],
  },
  {
    type: "TIMESTAMPTZ",
    form: "timestamptz",
    key: true,
    values: [["'2024-01-15 10:30:00+02'", "2024-01-15 08:30:00"], ["'2024-01-15 10:30:00'", "2024-01-15 10:30:00"]],
  },
  {
    type: "UUID",
    form: "uuid",
    key: true,
    values: [
      ["'550E8400-E29B-41D4-A716-446655440000'", "550e8400-e29b-41d4-a716-446655440000"],
      ["'00000000-0000-0000-0000-000000000000'", "00000000-0000-0000-0000-000000000000"],
    ],
  },
  {
    type: "JSON TEXT",
    form: "text",
    values: [["'{\"a\": 1.0}'", '{"a": 1.0}'], ["'1'", "1"]],
  },
  { type: "BITS TEXT(8)", form: "bits", key: true, values: [["'01010101'", "01010101"], ["'00000000'", "00000000"]] },
];

testDialect("sqlite", {
  dialect: sqlite,
  database,
  quote: (identifier) => `"${identifier.replaceAll('"', '""')}"`,
  types,
  methods: ["md5", "stored"],
  identity: "integer primary key autoincrement",
  generated: "integer generated always as (n + 1) stored",
  locksRows: false,
  deferredForeignKey: "deferrable initially deferred",
  authenticates: false,
  unboundedTypes: true,
});
