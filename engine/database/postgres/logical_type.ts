import type { LogicalType } from "../types.ts";

/** A type as the catalogue has it; of a domain the one that it is made of. */
export interface CatalogueType {
  /** `pg_type.typname`. */
  name: string;
  isBuiltIn: boolean;
  /** `atttypmod`: length, precision and scale; −1 without. */
  modifier: number;
  /** As `format_type` says it. */
  spelling: string;
  /** Of an enum. */
  labels?: string[];
}

const MICROSECONDS = 6;

/** What a type holds. */
export function logicalType(type: CatalogueType): LogicalType {
  const { modifier, spelling, labels } = type;
  if (labels !== undefined) return { kind: "enum", labels };
  if (type.name === "citext") return { kind: "text", length: null, fixed: false };
  if (!type.isBuiltIn) return { kind: "native", engine: "postgres", name: spelling };
  // Those of variable length count the four bytes of their header.
  const length = modifier < 0 ? null : modifier - 4;
  const precision = modifier < 0 ? MICROSECONDS : modifier;
  switch (type.name) {
    case "int2":
      return { kind: "integer", bits: 16, unsigned: false };
    case "int4":
      return { kind: "integer", bits: 32, unsigned: false };
    case "int8":
      return { kind: "integer", bits: 64, unsigned: false };
    case "numeric":
      return length === null
        ? { kind: "decimal", precision: null, scale: null }
        // Eleven bits with a sign.
        : { kind: "decimal", precision: length >> 16 & 0xffff, scale: ((length & 0x7ff) ^ 1024) - 1024 };
    case "float4":
      return { kind: "float", bits: 32 };
    case "float8":
      return { kind: "float", bits: 64 };
    case "bool":
      return { kind: "boolean" };
    case "text":
      return { kind: "text", length: null, fixed: false };
    case "varchar":
      return { kind: "text", length, fixed: false };
    case "bpchar":
      return { kind: "text", length, fixed: true };
    case "bytea":
      return { kind: "bytes", length: null, fixed: false };
    case "date":
      return { kind: "date" };
    case "time":
    case "timetz":
      return { kind: "time", precision, zone: type.name === "timetz" };
    case "timestamp":
    case "timestamptz":
      return { kind: "timestamp", precision, zone: type.name === "timestamptz" };
    case "uuid":
      return { kind: "uuid" };
    case "json":
    case "jsonb":
      return { kind: "json", binary: type.name === "jsonb" };
    case "bit":
    case "varbit":
      return { kind: "bits", length: modifier < 0 ? null : modifier, varying: type.name === "varbit" };
    case "interval":
      // One that rounds is another type: what it cannot hold would change in silence.
      return spelling === "interval" ? { kind: "interval" } : { kind: "native", engine: "postgres", name: spelling };
    default:
      return { kind: "native", engine: "postgres", name: spelling };
  }
}
