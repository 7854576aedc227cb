import type { Column, LogicalType } from "../types.ts";

type Storage = NonNullable<Column["storage"]>;

/** Names of types whose affinity does not say what they hold; matched as whole words, the first that fits. */
const NAMED: [RegExp, (length: number | null, scale: number | null) => LogicalType][] = [
  [/^(INTERVAL|POINT)\b/, () => ({ kind: "any" })],
  [/^BOOL(EAN)?\b|^BIT$/, () => ({ kind: "boolean" })],
  [/^(BITS|BIT|VARBIT)\b/, (length) => ({ kind: "bits", length, varying: true })],
  [/^(DECIMAL|DEC|NUMERIC|NUMBER)\b/, (precision, scale) => ({
    kind: "decimal",
    precision,
    scale: precision === null ? null : scale ?? 0,
  })],
  [/^(TIMESTAMPTZ|DATETIMEOFFSET|TIMESTAMP WITH TIME ZONE)\b/, () => timestamp(true)],
  [/^(DATETIME2?|SMALLDATETIME|TIMESTAMP)\b/, () => timestamp(false)],
  [/^DATE\b/, () => ({ kind: "date" })],
  [/^(TIMETZ|TIME WITH TIME ZONE)\b/, () => ({ kind: "time", precision: 9, zone: true })],
  [/^TIME\b/, () => ({ kind: "time", precision: 9, zone: false })],
  [/^(UUID|GUID|UNIQUEIDENTIFIER)\b/, () => ({ kind: "uuid" })],
  [/^JSONB?\b/, () => ({ kind: "json", binary: false })],
  [/^(VAR)?BINARY\b|^BYTEA\b|^IMAGE\b/, () => ({ kind: "bytes", length: null, fixed: false })],
  [/^YEAR\b/, () => integer()],
];

/** What a column declared so holds, and what SQLite makes of values that are put into it. */
export function declaredType(
  declared: string,
  { strict, rowid }: { strict: boolean; rowid: boolean },
): { logical: LogicalType; storage: Storage } {
  const name = declared.toUpperCase().replace(/\(.*$/s, "").trim().replaceAll(/\s+/g, " ");
  if (rowid) return { logical: integer(), storage: { affinity: "integer", exact: true } };
  if (strict && name === "ANY") return { logical: { kind: "any" }, storage: { affinity: "blob", exact: false } };
  const affinity = affinityOf(name);
  const [, length, scale] = /\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)/.exec(declared)?.map(Number) ?? [];
  const logical = logicalType(name, affinity, finite(length), finite(scale));
  return { logical, storage: { affinity, exact: strict } };
}

/** SQLite's own rules, in its order. */
function affinityOf(name: string): Storage["affinity"] {
  if (name.includes("INT")) return "integer";
  if (/CHAR|CLOB|TEXT/.test(name)) return "text";
  if (name === "" || name.includes("BLOB")) return "blob";
  return /REAL|FLOA|DOUB/.test(name) ? "real" : "numeric";
}

function logicalType(
  name: string,
  affinity: Storage["affinity"],
  length: number | null,
  scale: number | null,
): LogicalType {
  if (name === "") return { kind: "any" };
  const named = NAMED.find(([pattern]) => pattern.test(name));
  if (named !== undefined) return named[1](length, scale);
  switch (affinity) {
    case "integer":
      return integer();
    case "text":
      return { kind: "text", length, fixed: false };
    case "real":
      return { kind: "float", bits: 64 };
    case "blob":
      return { kind: "bytes", length: null, fixed: false };
    case "numeric":
      return { kind: "any" };
  }
}

/** SQLite's integers have 64 bits, whatever they are called. */
function integer(): LogicalType {
  return { kind: "integer", bits: 64, unsigned: false };
}

function timestamp(zone: boolean): LogicalType {
  return { kind: "timestamp", precision: 9, zone };
}

function finite(number: number | undefined): number | null {
  return number === undefined || !Number.isSafeInteger(number) ? null : number;
}
