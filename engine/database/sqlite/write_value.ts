import { canonical } from "../canonical.ts";
import { DatabaseError } from "../error.ts";
import type { Column, Form } from "../types.ts";
import { bytesOf, parseLiteral } from "./read_value.ts";
import type { Stored } from "./stored.ts";

/** What to bind for a canonical text, so that the column holds it exactly. @throws DatabaseError `value`, without its place */
export type WriteValue = (text: string) => Exclude<Stored, null>;

type Affinity = NonNullable<Column["storage"]>["affinity"];

const LEAST = -(2n ** 63n);
const MOST = 2n ** 63n - 1n;

/** What SQLite takes for a number where a column prefers numbers to text; with U+0000 after it, too. */
const NUMERIC = /^[\t\n\v\f\r ]*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[\t\n\v\f\r ]*(?:\0|$)/;

/** How values of a form are written into a column. */
export function valueWriter({ storage, type }: Column, form: Form): WriteValue {
  const { affinity, exact } = storage ?? { affinity: "blob", exact: false };
  const keepsText = affinity === "text" || affinity === "blob";
  const asText: WriteValue = (text) => {
    if (!keepsText && NUMERIC.test(text)) return numberLike(text, form, type);
    return text;
  };
  switch (form) {
    case "native":
      return (text) => {
        const value = parseLiteral(text);
        if (isConverted(value, affinity)) refuse(type, `would turn ${text.slice(0, 40)} into another kind of value`);
        return value;
      };
    case "integer":
      return affinity === "text"
        ? asText
        : (text) => integer(text) ?? refuse(type, "holds whole numbers of 64 bits only");
    case "boolean":
      return affinity === "text" ? asText : (text) => BigInt(text);
    case "decimal":
      return keepsText ? asText : (text) => decimal(text, type);
    case "float":
      return affinity === "text" ? asText : (text) => float(text, { exact, affinity }, type);
    case "bytes":
      return bytesOf;
    default:
      return asText;
  }
}

/** Whether SQLite would store a value of a column of some affinity as one of another kind (Datatypes In SQLite, section 3). */
function isConverted(value: Exclude<Stored, null>, affinity: Affinity): boolean {
  if (affinity === "blob") return false;
  if (typeof value === "string") return affinity !== "text" && NUMERIC.test(value);
  if (typeof value === "bigint") return affinity === "text" || affinity === "real";
  if (typeof value !== "number") return false;
  return affinity === "text" || affinity !== "real" && Number.isInteger(value) && Math.abs(value) < 2 ** 63;
}

function integer(text: string): bigint | undefined {
  const number = BigInt(text);
  return number < LEAST || number > MOST ? undefined : number;
}

/** A decimal in a column that prefers numbers: as one of 64 bits where it is the same number. */
function decimal(text: string, type: string): Exclude<Stored, null> {
  const whole = /^-?\d{1,19}$/.test(text) ? integer(text) : undefined;
  if (whole !== undefined) return whole;
  // SQLite has no NaN; in a column like this it stays text.
  if (text === "NaN") return text;
  const number = Number(text);
  if (canonical("decimal", String(number)) === text) return number;
  return refuse(type, "would round the number; declare the column as text to keep it exactly");
}

function float(text: string, { exact, affinity }: NonNullable<Column["storage"]>, type: string): Exclude<Stored, null> {
  // Such a column keeps whole numbers without a fraction as integers, which have no minus zero.
  if (text === "-0" && affinity !== "blob") return refuse(type, "cannot hold minus zero");
  if (text !== "NaN") return Number(text);
  return exact ? refuse(type, "cannot hold NaN") : text;
}

/** A text that SQLite turns into a number: only where the same text comes back. */
function numberLike(text: string, form: Form, type: string): Exclude<Stored, null> {
  const whole = /^(?:0|-?[1-9]\d{0,18})$/.test(text) ? integer(text) : undefined;
  if (whole !== undefined) return whole;
  if (form === "json" && canonical("json", String(Number(text))) === text) return Number(text);
  return refuse(type, "would turn the text into a number; declare the column as TEXT");
}

function refuse(type: string, words: string): never {
  throw new DatabaseError("value", `the column's type ${type === "" ? "(none)" : type} ${words}`);
}
