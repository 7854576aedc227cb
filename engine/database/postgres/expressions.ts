import { canonical } from "../canonical.ts";
import type { Column, Form } from "../types.ts";
import { quote } from "./identifier.ts";

/** How one column is read. */
export interface Reading {
  /** The text that the server sends. */
  sql: string;
  /** Makes it canonical, where the server cannot. */
  convert?: (text: string) => string;
}

/** A column of the table `t`. */
export function reference(column: Column): string {
  return `t.${quote(column.name)}`;
}

/** Reads a column in the canonical text of a form, the cheapest way. */
export function reading(column: Column, form: Form): Reading {
  const name = reference(column);
  // Sent by the type's own output, which a cast to text is not for all.
  if (form === "native") return { sql: name };
  if (form === "float") return { sql: `${name}::float8::text`, convert: (text) => canonical("float", text) };
  if (rendersInSql(column, form)) return { sql: canonicalSql(column, form) };
  return { sql: `${name}::text`, convert: (text) => canonical(form, text) };
}

/** Whether {@link canonicalSql} can say it. */
export function rendersInSql(column: Column, form: Form): boolean {
  if (form === "json") return false;
  // As text it may be spelt in many ways.
  if (column.logical.kind === "text") return form === "text" || form === "native";
  return true;
}

/** A column in the canonical text of a form, by the server alone. */
export function canonicalSql(column: Column, form: Form): string {
  const name = reference(column);
  switch (form) {
    case "float":
      return floatSql(`${name}::float8`);
    case "bytes":
      return `encode(${name}, 'hex')`;
    case "native":
      return `case when ${name} is not null then concat(${name}) end`;
    default:
      return `${valueSql(column, form)}::text`;
  }
}

/** An expression that `concat` writes as the canonical text: where it can be another type than text, which costs less. */
export function concatenated(column: Column, form: Form): string {
  const { logical } = column;
  switch (form) {
    case "float":
    case "bytes":
    case "native":
    case "json":
      return canonicalSql(column, form);
    case "text":
      // A cast cuts spaces off what has a fixed length, and is more than the output of some types.
      return logical.kind === "text" && !logical.fixed ? reference(column) : canonicalSql(column, form);
    default:
      return valueSql(column, form);
  }
}

/** What becomes the canonical text by a cast. */
function valueSql(column: Column, form: Form): string {
  const name = reference(column);
  const { logical } = column;
  if ((form === "integer" || form === "boolean") && logical.kind === "boolean") return `${name}::integer`;
  // Without a fraction there is nothing to trim.
  if (form === "decimal" && logical.kind === "decimal" && logical.scale !== 0) return `trim_scale(${name})`;
  if (form === "timestamptz" && logical.kind === "timestamp" && logical.zone) return `(${name} at time zone 'UTC')`;
  return name;
}

/**
 * A double as ECMAScript writes it. PostgreSQL finds the same digits below 2^53; above, where a shorter number lies exactly between
 * two doubles, it does not use it, so that the numbers of 16 digits around its own are tried.
 */
function floatSql(x: string): string {
  const digits = `(${x}::text)::numeric`;
  const whole = `length(trunc(abs(${digits}))::text)`;
  const down = `trunc(${digits}, 16 - ${whole})`;
  const up = `(${down} + sign(${digits}) * 10::numeric ^ (${whole} - 16))`;
  // Beyond this the next numbers of fewer digits are no doubles.
  const shortest = `case when abs(${x}) > 1.7976931348623e308 then ${digits} ` +
    `when ${x}::numeric::float8 = ${x} then ${x}::numeric when ${down}::float8 = ${x} then ${down} ` +
    `when ${up}::float8 = ${x} then ${up} else ${digits} end`;
  return `case when abs(${x}) < 9007199254740992 then ` +
    `case when abs(${x}) >= 1e-6 then trim_scale(${digits})::text else replace(${x}::text, 'e-0', 'e-') end ` +
    `when abs(${x}) < 1e21 then trunc(${shortest})::text ` +
    `when abs(${x}) < 'Infinity'::float8 then ${exponentSql(`trunc(${shortest})`)} else ${x}::text end`;
}

/** A whole number of more than 21 digits with an exponent. */
function exponentSql(x: string): string {
  const text = `trim(trailing '0' from abs(${x})::text)`;
  return `case when ${x} < 0 then '-' else '' end || left(${text}, 1) || ` +
    `case when length(${text}) > 1 then '.' || substr(${text}, 2) else '' end || 'e+' || (length(abs(${x})::text) - 1)`;
}

/** The type in which keys are compared: that of the column without a length, which would cut the value to look for. */
export function keyType(column: Column): string {
  const { logical } = column;
  switch (logical.kind) {
    case "integer":
      return "bigint";
    case "decimal":
      return "numeric";
    case "float":
      return "double precision";
    case "boolean":
      return "boolean";
    case "text":
      return column.collation?.name === "citext" ? column.type : logical.fixed ? "bpchar" : "text";
    case "bytes":
      return "bytea";
    case "date":
      return "date";
    case "time":
      return logical.zone ? "timetz" : "time";
    case "timestamp":
      return logical.zone ? "timestamptz" : "timestamp";
    case "uuid":
      return "uuid";
    case "json":
      return logical.binary ? "jsonb" : "json";
    case "bits":
      return "varbit";
    default:
      return column.type;
  }
}

/** A canonical text (an expression) as a value of {@link keyType}. */
export function fromCanonical(sql: string, column: Column, form: Form): string {
  return form === "bytes" ? `decode(${sql}, 'hex')` : `${sql}::${keyType(column)}`;
}

/** Whether two values of a column that PostgreSQL takes for equal have the same canonical text. */
export function equalityIsIdentity(column: Column): boolean {
  const { kind } = column.logical;
  if (kind === "text") return column.collation?.deterministic !== false;
  return kind !== "float" && kind !== "json" && kind !== "native" && kind !== "interval";
}
