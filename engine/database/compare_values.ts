import type { Form } from "./types.ts";

/** Orders two values of one form: less than 0, 0 or more than 0, as engines order them. Texts compare by code units. */
export function compareValues(form: Form, a: string, b: string): number {
  if (a === b) return 0;
  switch (form) {
    case "integer":
      return order(BigInt(a), BigInt(b));
    case "decimal":
      return compareDecimals(a, b);
    case "float":
      return order(numberOf(a), numberOf(b));
    case "date":
    case "timestamp":
    case "timestamptz":
      return compareDates(a, b);
    default:
      return order(a, b);
  }
}

function order<T>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** NaN is above everything, as PostgreSQL has it. */
function numberOf(text: string): number {
  const value = Number(text);
  return Number.isNaN(value) ? Number.MAX_VALUE * 2 : value;
}

function compareDecimals(a: string, b: string): number {
  const special = /[a-z]/;
  if (special.test(a) || special.test(b)) return order(rank(a), rank(b));
  const digits = Math.max(fraction(a).length, fraction(b).length);
  return order(scaled(a, digits), scaled(b, digits));
}

function rank(text: string): number {
  return ["-Infinity", "", "Infinity", "NaN"].indexOf(/[a-z]/.test(text) ? text : "");
}

function fraction(text: string): string {
  return text.split(".")[1] ?? "";
}

function scaled(text: string, digits: number): bigint {
  return BigInt(text.split(".")[0] + fraction(text).padEnd(digits, "0")) * 1n;
}

/** Years may have more than four digits or lie before 1, and there are infinities. */
function compareDates(a: string, b: string): number {
  const [x, y] = [dateRank(a), dateRank(b)];
  return order(x.year, y.year) || order(x.rest, y.rest);
}

function dateRank(text: string): { year: number; rest: string } {
  if (text === "infinity") return { year: Infinity, rest: "" };
  if (text === "-infinity") return { year: -Infinity, rest: "" };
  const before = text.endsWith(" BC");
  const plain = before ? text.slice(0, -3) : text;
  const at = plain.indexOf("-", 1);
  const year = Number(plain.slice(0, at));
  return { year: before ? 1 - year : year, rest: plain.slice(at) };
}
