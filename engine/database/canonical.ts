import { canonicalJson } from "./canonical_json.ts";
import { canonicalDecimal, canonicalFloat, canonicalInteger } from "./canonical_number.ts";
import { canonicalDate, canonicalTime, canonicalTimestamp, canonicalTimestamptz } from "./canonical_time.ts";
import { DatabaseError } from "./error.ts";
import type { Form } from "./types.ts";

const WORDS: Record<Form, string> = {
  integer: "a whole number",
  decimal: "a decimal number",
  float: "a floating-point number",
  boolean: "true or false",
  text: "text of whole characters",
  bytes: "bytes in hexadecimal",
  date: "a date",
  time: "a time of day",
  timestamp: "a date and time without a zone",
  timestamptz: "a date and time",
  uuid: "a UUID",
  json: "JSON",
  bits: "bits",
  native: "text of whole characters",
};

const CANONICAL: Record<Form, (text: string) => string | undefined> = {
  integer: canonicalInteger,
  decimal: canonicalDecimal,
  float: canonicalFloat,
  boolean: canonicalBoolean,
  text: wellFormed,
  bytes: canonicalBytes,
  date: canonicalDate,
  time: canonicalTime,
  timestamp: canonicalTimestamp,
  timestamptz: canonicalTimestamptz,
  uuid: canonicalUuid,
  json: canonicalJson,
  bits: (text) => /^[01]*$/.test(text) ? text : undefined,
  native: wellFormed,
};

/**
 * The canonical text of a form for an engine's text of a value; what is canonical already costs little. It takes what servers and
 * drivers print, not whatever a server would read.
 *
 * @throws DatabaseError `value` where the text is not of the form; without the value, and without its place, which the caller adds
 */
export function canonical(form: Form, text: string): string {
  const result = CANONICAL[form](text);
  if (result === undefined) throw new DatabaseError("value", `the value is not ${WORDS[form]}`);
  return result;
}

function wellFormed(text: string): string | undefined {
  return text.isWellFormed() ? text : undefined;
}

const BOOLEANS: ReadonlyMap<string, string> = new Map([
  ["0", "0"],
  ["1", "1"],
  ["f", "0"],
  ["t", "1"],
  ["false", "0"],
  ["true", "1"],
]);

function canonicalBoolean(text: string): string | undefined {
  return BOOLEANS.get(text) ?? BOOLEANS.get(text.toLowerCase());
}

function canonicalBytes(text: string): string | undefined {
  const digits = text.startsWith("\\x") || text.startsWith("0x") ? text.slice(2) : text;
  if (digits.length % 2 !== 0) return undefined;
  if (/^[0-9a-f]*$/.test(digits)) return digits;
  return /^[0-9a-f]*$/i.test(digits) ? digits.toLowerCase() : undefined;
}

function canonicalUuid(text: string): string | undefined {
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text)) return text;
  const parts = /^(\{?)([0-9a-f]{8})(-?)([0-9a-f]{4})\3([0-9a-f]{4})\3([0-9a-f]{4})\3([0-9a-f]{12})(\}?)$/i.exec(text);
  if (parts === null || (parts[1] === "") !== (parts[8] === "")) return undefined;
  return [parts[2], parts[4], parts[5], parts[6], parts[7]].join("-").toLowerCase();
}
