/** Canonical texts of numbers. Exact: digits are moved, never computed with. */

/** More digits no engine has before and after a decimal's point. */
const MAX_DIGITS = 150_000;
/** Zeros that a number in JSON may gain by being written without an exponent; each double has fewer. */
const MAX_JSON_PADDING = 400;

export function canonicalInteger(text: string): string | undefined {
  if (/^(?:0|-?[1-9]\d*)$/.test(text)) return text;
  if (text === "t" || text === "true") return "1";
  if (text === "f" || text === "false") return "0";
  const parts = /^([+-]?)0*(\d+)$/.exec(text);
  if (parts === null) return undefined;
  return parts[1] === "-" && parts[2] !== "0" ? `-${parts[2]}` : parts[2];
}

export function canonicalDecimal(text: string): string | undefined {
  if (/^(?:0|-?(?:[1-9]\d*(?:\.\d*[1-9])?|0\.\d*[1-9]))$/.test(text)) return text;
  if (text === "NaN" || text === "Infinity" || text === "-Infinity") return text;
  const number = readDecimal(text);
  if (number === undefined || padding(number) > MAX_DIGITS) return undefined;
  return plain(number);
}

/** The same for numbers of JSON, with a bound on how much longer the text may become: beyond it the exponent stays. */
export function canonicalJsonNumber(text: string): string | undefined {
  if (/^(?:0|-?[1-9]\d*)$/.test(text) && !text.endsWith("000")) return text;
  if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text)) return undefined;
  const number = readDecimal(text);
  if (number === undefined) return undefined;
  if (padding(number) <= MAX_JSON_PADDING) return plain(number);
  const { negative, digits, exponent } = number;
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
  return `${negative ? "-" : ""}${digits[0]}${fraction}e${exponent + digits.length - 1}`;
}

export function canonicalFloat(text: string): string | undefined {
  const number = Number(text);
  if (String(number) === text && text !== "Infinity" && text !== "-Infinity") return text;
  if (text === "Infinity" || text === "-Infinity" || text === "-0") return text;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) || !Number.isFinite(number)) return undefined;
  return Object.is(number, -0) ? "-0" : String(number);
}

/** `digits` × 10^`exponent`; the digits have no zeros at either end, and are empty for 0. */
interface DecimalNumber {
  negative: boolean;
  digits: string;
  exponent: number;
}

function readDecimal(text: string): DecimalNumber | undefined {
  const parts = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?$/.exec(text);
  if (parts === null) return undefined;
  const [, sign, whole, fraction = "", exponent = "0"] = parts;
  const all = whole + fraction;
  if (all === "") return undefined;
  const first = all.search(/[1-9]/);
  if (first < 0) return { negative: false, digits: "", exponent: 0 };
  let end = all.length;
  while (all[end - 1] === "0") end--;
  return {
    negative: sign === "-",
    digits: all.slice(first, end),
    exponent: Number(exponent) - fraction.length + (all.length - end),
  };
}

/** How many zeros {@link plain} adds. */
function padding({ digits, exponent }: DecimalNumber): number {
  return exponent >= 0 ? exponent : Math.max(0, -exponent - digits.length);
}

function plain({ negative, digits, exponent }: DecimalNumber): string {
  if (digits === "") return "0";
  const sign = negative ? "-" : "";
  if (exponent >= 0) return sign + digits + "0".repeat(exponent);
  const point = digits.length + exponent;
  if (point > 0) return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
  return `${sign}0.${"0".repeat(-point)}${digits}`;
}
