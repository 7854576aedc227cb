import type { Column, Form } from "../types.ts";
import { reference } from "./expressions.ts";

/**
 * A value as `hash_record_extended` is to hash it, whatever the column's type is on the other side. Its own hash of a type is not always
 * enough (record_hash.ts), and bytes as they are sent have none of that.
 */
export function hashedField(column: Column, form: Form): string {
  const name = reference(column);
  const { logical } = column;
  switch (form) {
    case "integer":
      return logical.kind === "boolean" ? `int8send(${name}::integer)` : `int8send(${name})`;
    case "decimal":
      if (logical.kind !== "decimal") return `numeric_send(${name}::numeric)`;
      return `numeric_send(trim_scale(${name}))`;
    case "float":
      return `float8send(${name})`;
    case "boolean":
      return logical.kind === "boolean" ? name : `(${name}::text = '1')`;
    case "bytes":
    case "date":
      return name;
    case "time":
      return logical.kind === "time" && logical.zone ? `timetz_send(${name})` : `time_send(${name})`;
    case "timestamp":
      return `timestamp_send(${name})`;
    case "timestamptz":
      return logical.kind === "timestamp" && logical.zone
        ? `timestamptz_send(${name})`
        : `timestamptz_send(${name} at time zone 'UTC')`;
    case "uuid":
      return logical.kind === "uuid" ? name : `${name}::text collate "C"`;
    case "json":
      return logical.kind === "json" && logical.binary ? hashedJson(name) : `${name}::text collate "C"`;
    default:
      return `${name}::text collate "C"`;
  }
}

/**
 * The hash of jsonb takes 1.0 for 1 as it should, but leaves out how values are nested. That is in the text, where zeros at the end of
 * fractions are dropped, those in strings as well: they are in the hash.
 */
function hashedJson(name: string): string {
  const trimmed = `regexp_replace(${name}::text, '(\\.\\d*[1-9])0+(?!\\d)|\\.0+(?!\\d)', '\\1', 'g')`;
  return `${name}, (case when strpos(${name}::text, '.') > 0 then ${trimmed} else ${name}::text end) collate "C"`;
}
