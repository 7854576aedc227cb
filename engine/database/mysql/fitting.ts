/** What a column would take only by changing it, without an error of the server: refused here. */
import type { Column, Form } from "../types.ts";
import { labelsOf } from "./column_type.ts";

/** Says why a column cannot hold a value, or nothing. */
export type Fit = (value: string) => string | undefined;

const DATE = /^\d{4}-\d\d-\d\d$/;
const TIME = /^-?\d{2,3}:\d\d:\d\d(?:\.(\d+))?$/;
const TIMESTAMP = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.(\d+))?$/;

/** The check of a column's values; undefined where the server checks everything. */
export function fitting(column: Column, form: Form): Fit | undefined {
  const { logical, type } = column;
  switch (logical.kind) {
    case "integer":
      if (type.startsWith("year")) return (value) => when(/^(?:0|19\d\d|2[01]\d\d)$/.test(value), "a year");
      return form === "integer" ? undefined : (value) => when(/^-?\d+$/.test(value), "a whole number");
    case "boolean":
      return (value) => when(/^-?\d+$/.test(value), "a whole number");
    case "decimal": {
      const scale = logical.scale ?? 0;
      return (value) => {
        if (!/^-?\d/.test(value)) return `${type} holds finite numbers only`;
        return fraction(value) > scale ? `${type} keeps ${scale} digits after the point` : undefined;
      };
    }
    case "float":
      return floatFit(column);
    case "text":
      return textFit(column);
    case "enum": {
      const labels = new Set(logical.labels);
      return (value) => when(labels.has(value), "one of its labels");
    }
    case "bytes": {
      const { fixed, length } = logical;
      return fixed ? (value) => when(value.length === length! * 2, `exactly ${length} bytes`) : undefined;
    }
    case "bits":
      return form === "boolean"
        ? undefined
        : (value) => when(value.length === logical.length && /^[01]*$/.test(value), `exactly ${logical.length} bits`);
    case "date":
      return (value) => when(DATE.test(value), "a date of the years 0 to 9999");
    case "time":
      return (value) => moment(TIME.exec(value), logical.precision, "a time without a zone");
    case "timestamp":
      return (value) => moment(TIMESTAMP.exec(value), logical.precision, "a time of the years 0 to 9999");
    case "json":
      return logical.binary ? jsonFit : undefined;
    default:
      return undefined;
  }
}

function when(fits: boolean, what: string): string | undefined {
  return fits ? undefined : `the column holds ${what}`;
}

function fraction(value: string): number {
  const point = value.indexOf(".");
  return point < 0 ? 0 : value.length - point - 1;
}

function moment(match: RegExpExecArray | null, precision: number, what: string): string | undefined {
  if (match === null) return when(false, what);
  return (match[1]?.length ?? 0) > precision ? `the column keeps ${precision} digits of a second` : undefined;
}

function floatFit({ logical, type }: Column): Fit {
  const decimals = /\(\d+,(\d+)\)/.exec(type)?.[1];
  const single = logical.kind === "float" && logical.bits === 32;
  const round = (value: number) => single ? Math.fround(value) : value;
  return (value) => {
    const number = Number(value);
    if (!Number.isFinite(number)) return `${type} holds finite numbers only`;
    // MariaDB stores it as 0.
    if (value === "-0") return `${type} has no minus zero`;
    if (round(number) !== number) return `${type} keeps fewer digits`;
    const shown = decimals === undefined ? number : round(Number(number.toFixed(Number(decimals))));
    return shown === number ? undefined : `${type} keeps ${decimals} digits after the point`;
  };
}

/** Spaces at the end are cut without an error. */
function textFit({ logical, type }: Column): Fit {
  if (type.startsWith("set(")) return setFit(labelsOf(type));
  if (logical.kind !== "text") throw new TypeError("not a column of text");
  const { fixed, length } = logical;
  if (fixed) return (value) => value.endsWith(" ") ? `${type} keeps no spaces at the end` : undefined;
  const bytes = type.startsWith("tiny") ? 0xff : type.startsWith("text") ? 0xffff : 0xffffff;
  return (value) => {
    if (!value.endsWith(" ")) return undefined;
    const fits = length === null ? type.startsWith("long") || octets(value) <= bytes : characters(value) <= length;
    return fits ? undefined : `the value is too long for ${type}`;
  };
}

function setFit(labels: string[]): Fit {
  return (value) => {
    if (value === "") return undefined;
    const members = new Set(value.split(","));
    const written = labels.filter((label) => members.has(label)).join(",");
    return when(written === value, "members of its set, in their order");
  };
}

/** MySQL keeps numbers of JSON as 64-bit integers and doubles. */
function jsonFit(value: string): string | undefined {
  for (const [number] of value.replace(/"(?:[^"\\]|\\.)*"/g, '""').matchAll(/-?\d[\d.eE+-]*/g)) {
    const whole = /^-?\d{1,20}$/.test(number) ? BigInt(number) : undefined;
    if (whole !== undefined && whole >= -(2n ** 63n) && whole < 2n ** 64n) continue;
    if (!sameNumber(number)) return `JSON of this server keeps the number ${number} only in part`;
  }
  return undefined;
}

function sameNumber(text: string): boolean {
  const digits = (written: string) => written.replace(/^-|e.*$|\./g, "").replace(/^0+|0+$/g, "");
  return digits(String(Number(text))) === digits(text);
}

function octets(value: string): number {
  return new TextEncoder().encode(value).length;
}

function characters(value: string): number {
  let count = 0;
  for (const _ of value) count++;
  return count;
}
