import type { LogicalType } from "../types.ts";

/** A column as `information_schema.COLUMNS` has it. */
export interface CatalogueColumn {
  /** Such as `varchar`. */
  dataType: string;
  /** Such as `varchar(20)`, `int(10) unsigned`. */
  columnType: string;
  /** Characters, or bytes of binary types. */
  length: string | null;
  precision: string | null;
  scale: string | null;
  timePrecision: string | null;
  /** MariaDB: the column was declared JSON, which there is text with a check. */
  jsonText: boolean;
}

const INTEGER_BITS: Record<string, 8 | 16 | 24 | 32 | 64> = {
  tinyint: 8,
  smallint: 16,
  mediumint: 24,
  int: 32,
  bigint: 64,
};

/** What a column holds. */
export function logicalType(column: CatalogueColumn): LogicalType {
  const { dataType, columnType } = column;
  const length = Number(column.length);
  if (dataType in INTEGER_BITS) {
    // What the servers themselves write for BOOLEAN.
    if (columnType === "tinyint(1)") return { kind: "boolean" };
    return { kind: "integer", bits: INTEGER_BITS[dataType], unsigned: columnType.includes("unsigned") };
  }
  switch (dataType) {
    case "year":
      return { kind: "integer", bits: 16, unsigned: true };
    case "decimal":
      return { kind: "decimal", precision: Number(column.precision), scale: Number(column.scale) };
    case "float":
      return { kind: "float", bits: 32 };
    case "double":
      return { kind: "float", bits: 64 };
    case "bit":
      return { kind: "bits", length: Number(column.precision), varying: false };
    case "char":
      return { kind: "text", length, fixed: true };
    case "varchar":
      return { kind: "text", length, fixed: false };
    case "tinytext":
    case "text":
    case "mediumtext":
    case "longtext":
      return column.jsonText ? { kind: "json", binary: false } : { kind: "text", length: null, fixed: false };
    case "set":
      return { kind: "text", length: null, fixed: false };
    case "enum":
      return { kind: "enum", labels: labelsOf(columnType) };
    case "json":
      return { kind: "json", binary: true };
    case "binary":
      return { kind: "bytes", length, fixed: true };
    case "varbinary":
      return { kind: "bytes", length, fixed: false };
    case "tinyblob":
    case "blob":
    case "mediumblob":
    case "longblob":
      return { kind: "bytes", length: null, fixed: false };
    case "date":
      return { kind: "date" };
    case "time":
      return { kind: "time", precision: Number(column.timePrecision), zone: false };
    case "datetime":
      return { kind: "timestamp", precision: Number(column.timePrecision), zone: false };
    case "timestamp":
      return { kind: "timestamp", precision: Number(column.timePrecision), zone: true };
    case "uuid":
      return { kind: "uuid" };
    default:
      return { kind: "native", engine: "mysql", name: dataType };
  }
}

const ESCAPES: Record<string, string> = { n: "\n", r: "\r", t: "\t", "0": "\0", Z: "\x1a" };

/** The labels of `enum('a','it''s')` or `set(…)`. */
export function labelsOf(columnType: string): string[] {
  return Array.from(columnType.matchAll(/'((?:[^'\\]|''|\\.)*)'/gs), ([, label]) => {
    return label.replace(
      /''|\\(.)/gs,
      (_, escaped?: string) => escaped === undefined ? "'" : ESCAPES[escaped] ?? escaped,
    );
  });
}
