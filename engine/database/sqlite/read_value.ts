import { Buffer } from "node:buffer";
import { canonical } from "../canonical.ts";
import { DatabaseError } from "../error.ts";
import type { Form } from "../types.ts";
import type { Stored } from "./stored.ts";

type Present = Exclude<Stored, null>;

/** The canonical text of what is stored. @throws DatabaseError `value`, without its place */
export type ReadValue = (stored: Present) => string;

const READERS: Record<Form, ReadValue> = {
  integer: readInteger,
  decimal: (stored) =>
    typeof stored === "bigint" ? String(stored) : canonical("decimal", numberOrText(stored, "decimal")),
  float: readFloat,
  boolean: (stored) => canonical("boolean", numberOrText(stored, "boolean")),
  text: readText,
  bytes: readBytes,
  date: (stored) => canonical("date", onlyText(stored, "a date")),
  time: (stored) => canonical("time", onlyText(stored, "a time")),
  timestamp: (stored) => canonical("timestamp", onlyText(stored, "a date and time")),
  timestamptz: (stored) => canonical("timestamptz", onlyText(stored, "a date and time")),
  uuid: (stored) => canonical("uuid", onlyText(stored, "a UUID")),
  json: (stored) => canonical("json", numberOrText(stored, "JSON")),
  bits: (stored) => canonical("bits", numberOrText(stored, "bits")),
  native: literal,
};

/** How values of a form are read; what they turn into follows from how they are stored. */
export function valueReader(form: Form): ReadValue {
  return READERS[form];
}

function readInteger(stored: Present): string {
  if (typeof stored === "bigint") return String(stored);
  if (typeof stored === "string") return canonical("integer", stored);
  if (typeof stored === "number" && Number.isSafeInteger(stored)) return String(BigInt(stored));
  throw unlike(stored, "a whole number");
}

function readFloat(stored: Present): string {
  if (typeof stored === "number") return Object.is(stored, -0) ? "-0" : String(stored);
  if (typeof stored === "bigint" && BigInt(Number(stored)) === stored) return String(Number(stored));
  if (typeof stored === "string") return canonical("float", stored);
  throw unlike(stored, "a floating-point number of 64 bits");
}

function readText(stored: Present): string {
  if (typeof stored === "string") return stored;
  if (stored instanceof Uint8Array) throw unlike(stored, "text");
  return String(stored);
}

function readBytes(stored: Present): string {
  if (stored instanceof Uint8Array) return hex(stored);
  if (typeof stored === "string") return hex(new TextEncoder().encode(stored));
  throw unlike(stored, "bytes");
}

function numberOrText(stored: Present, form: string): string {
  if (typeof stored === "string") return stored;
  if (stored instanceof Uint8Array) throw unlike(stored, form);
  return String(stored);
}

function onlyText(stored: Present, form: string): string {
  if (typeof stored === "string") return stored;
  throw unlike(stored, `${form} as text`);
}

/** The value as a literal of SQL, which tells 1 from 1.0 and '1'. */
function literal(stored: Present): string {
  if (typeof stored === "bigint") return String(stored);
  if (typeof stored === "string") return stored.includes("'") ? `'${stored.replaceAll("'", "''")}'` : `'${stored}'`;
  if (typeof stored !== "number") return `X'${hex(stored)}'`;
  if (!Number.isFinite(stored)) return stored < 0 ? "-9.0e+999" : "9.0e+999";
  const text = Object.is(stored, -0) ? "-0" : String(stored);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** The value that {@link literal} wrote. */
export function parseLiteral(text: string): Present {
  if (text.startsWith("'")) return text.slice(1, -1).replaceAll("''", "'");
  if (text.startsWith("X'")) return bytesOf(text.slice(2, -1));
  return /[.e]/.test(text) ? Number(text) : BigInt(text);
}

/** @param digits hexadecimal, an even number */
export function bytesOf(digits: string): Uint8Array {
  if (digits.length > LONG) return new Uint8Array(Buffer.from(digits, "hex"));
  const bytes = new Uint8Array(digits.length / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = parseInt(digits.slice(at * 2, at * 2 + 2), 16);
  return bytes;
}

/** Beyond it a text that is put together digit by digit takes too much time and memory. */
const LONG = 256;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function hex(bytes: Uint8Array): string {
  if (bytes.length > LONG) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

function unlike(stored: Present, wanted: string): DatabaseError {
  const found = typeof stored === "bigint"
    ? "a whole number"
    : typeof stored === "number"
    ? "a floating-point number"
    : typeof stored === "string"
    ? "text"
    : "a blob";
  return new DatabaseError("value", `the value is stored as ${found}, not as ${wanted}`);
}
