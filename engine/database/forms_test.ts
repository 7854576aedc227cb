import assert from "node:assert/strict";
import { pairColumns, pairForm } from "./forms.ts";
import type { Column, Form, LogicalType } from "./types.ts";

function column(logical: LogicalType, storage?: Column["storage"]): Column {
  return {
    name: "c",
    type: logical.kind,
    logical,
    nullable: true,
    generated: false,
    identity: false,
    hasDefault: false,
    ...(storage === undefined ? {} : { storage }),
  };
}

const INTEGER: LogicalType = { kind: "integer", bits: 32, unsigned: false };
const DECIMAL: LogicalType = { kind: "decimal", precision: 10, scale: 2 };
const FLOAT: LogicalType = { kind: "float", bits: 64 };
const BOOLEAN: LogicalType = { kind: "boolean" };
const TEXT: LogicalType = { kind: "text", length: null, fixed: false };
const CHAR: LogicalType = { kind: "text", length: 3, fixed: true };
const BYTES: LogicalType = { kind: "bytes", length: null, fixed: false };
const UUID: LogicalType = { kind: "uuid" };
const JSONB: LogicalType = { kind: "json", binary: true };
const JSON_TEXT: LogicalType = { kind: "json", binary: false };
const ENUM: LogicalType = { kind: "enum", labels: ["a"] };
const DATETIME: LogicalType = { kind: "timestamp", precision: 6, zone: false };
const TIMESTAMPTZ: LogicalType = { kind: "timestamp", precision: 6, zone: true };
const TIME: LogicalType = { kind: "time", precision: 6, zone: false };
const TIMETZ: LogicalType = { kind: "time", precision: 6, zone: true };
const ARRAY: LogicalType = { kind: "native", engine: "postgres", name: "integer[]" };
const POINT: LogicalType = { kind: "native", engine: "postgres", name: "point" };
const INTERVAL: LogicalType = { kind: "interval" };
const ANY: LogicalType = { kind: "any" };

Deno.test("columns pair in the form that both can say, in either direction", () => {
  const cases: [LogicalType, LogicalType, Form | undefined][] = [
    [INTEGER, { kind: "integer", bits: 64, unsigned: true }, "integer"],
    [INTEGER, DECIMAL, "decimal"],
    [INTEGER, BOOLEAN, "integer"],
    [BOOLEAN, BOOLEAN, "boolean"],
    [BOOLEAN, { kind: "bits", length: 1, varying: false }, "boolean"],
    [BOOLEAN, { kind: "bits", length: 2, varying: false }, undefined],
    [DECIMAL, FLOAT, undefined],
    [INTEGER, FLOAT, undefined],
    [FLOAT, { kind: "float", bits: 32 }, "float"],
    [UUID, TEXT, "uuid"],
    [JSONB, TEXT, "json"],
    [JSONB, JSON_TEXT, "json"],
    [JSON_TEXT, JSON_TEXT, "text"],
    [JSON_TEXT, TEXT, "text"],
    [ENUM, TEXT, "text"],
    [ENUM, ENUM, "text"],
    [BYTES, BYTES, "bytes"],
    [BYTES, TEXT, undefined],
    [DATETIME, DATETIME, "timestamp"],
    [DATETIME, TIMESTAMPTZ, "timestamptz"],
    [DATETIME, { kind: "date" }, undefined],
    [DATETIME, TEXT, undefined],
    [TIME, TIMETZ, undefined],
    [ARRAY, ARRAY, "native"],
    [ARRAY, POINT, undefined],
    [ARRAY, TEXT, "text"],
    [INTERVAL, INTERVAL, "native"],
    [INTERVAL, TEXT, "text"],
    [ANY, JSONB, "json"],
    [ANY, ARRAY, "text"],
    [ANY, TIMESTAMPTZ, "timestamptz"],
    [ANY, ANY, "native"],
  ];
  for (const [a, b, form] of cases) {
    assert.equal(pairForm(column(a), column(b)), form, `${a.kind} ${b.kind}`);
    assert.equal(pairForm(column(b), column(a)), form, `${b.kind} ${a.kind}`);
  }
});

Deno.test("two SQLite columns carry what is stored, unless only their type can be", () => {
  const loose = { affinity: "integer", exact: false } as const;
  const exact = { affinity: "integer", exact: true } as const;
  assert.equal(pairForm(column(INTEGER, loose), column(INTEGER, exact)), "native");
  assert.equal(pairForm(column(INTEGER, exact), column(INTEGER, exact)), "integer");
  assert.equal(pairForm(column(INTEGER, loose), column(INTEGER)), "integer");
  assert.equal(pairForm(column(TEXT, loose), column(BYTES, loose)), "native");
});

Deno.test("SQLite's text columns hold what it has no types for", () => {
  const text = column(TEXT, { affinity: "text", exact: false });
  for (const [type, form] of [[DATETIME, "timestamp"], [DECIMAL, "decimal"], [TIME, "time"]] as const) {
    assert.equal(pairForm(column(type), text), form);
    assert.equal(pairForm(text, column(type)), form);
  }
});

Deno.test("notes and reasons name the column", () => {
  const words = (a: LogicalType, b: LogicalType) => {
    const pairing = pairColumns(column(a), column(b));
    return pairing.form === undefined ? pairing.reason : pairing.note;
  };
  assert.match(words(TIMESTAMPTZ, DATETIME)!, /^c: .*UTC/);
  assert.match(words(TEXT, ARRAY)!, /^c: .*integer\[\]/);
  assert.match(words(CHAR, TEXT)!, /^c: trailing spaces/);
  assert.match(
    words(DECIMAL, FLOAT)!,
    /^c: decimal in the source and float in the target do not hold the same numbers$/,
  );
  assert.match(words(BYTES, TEXT)!, /^c: bytes in the source and text in the target have no form in common$/);
  assert.equal(words(INTEGER, INTEGER), undefined);
});
