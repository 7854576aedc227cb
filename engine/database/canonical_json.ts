import { canonicalJsonNumber } from "./canonical_number.ts";

/** Deeper nesting no engine takes. */
const MAX_DEPTH = 10_000;

/** A JSON text without an escape sequence; JSON has no control characters in strings. */
const PLAIN_STRING = /^"[ !#-[\]-\uffff]*"$/;
const SPACE = /[ \t\n\r]*/y;
const SCALAR = /[-+.\w]+/y;

interface Container {
  /** Undefined for an array. */
  members?: Map<string, string>;
  items: string[];
  /** The decoded key of the member that is being read. */
  key: string;
}

/** The canonical text of a JSON text; undefined where it is not JSON. Numbers stay exact. */
export function canonicalJson(text: string): string | undefined {
  if (!text.isWellFormed()) return undefined;
  const reader = new Reader(text);
  const open: Container[] = [];
  for (;;) {
    let value = reader.value();
    if (value === "[" || value === "{") {
      if (open.length === MAX_DEPTH) return undefined;
      const members = value === "{" ? new Map<string, string>() : undefined;
      const container: Container = { members, items: [], key: "" };
      if (!reader.take(members === undefined ? "]" : "}")) {
        open.push(container);
        if (members !== undefined && !reader.key(container)) return undefined;
        continue;
      }
      value = members === undefined ? "[]" : "{}";
    }
    if (value === undefined) return undefined;
    for (;;) {
      const container = open.at(-1);
      if (container === undefined) return reader.atEnd() ? value : undefined;
      const { members, items, key } = container;
      if (members === undefined) items.push(value);
      else members.set(key, value);
      if (reader.take(",")) {
        if (members !== undefined && !reader.key(container)) return undefined;
        break;
      }
      if (!reader.take(members === undefined ? "]" : "}")) return undefined;
      value = members === undefined ? `[${items.join(",")}]` : writeObject(members);
      open.pop();
    }
  }
}

function writeObject(members: Map<string, string>): string {
  const sorted = [...members].sort(([a], [b]) => compareCodePoints(a, b));
  return `{${sorted.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(",")}}`;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next value in canonical text, or `[` or `{` where one opens; undefined where there is none. */
  value(): string | undefined {
    this.#skip();
    const first = this.#text[this.#at];
    if (first === "[" || first === "{") {
      this.#at++;
      return first;
    }
    if (first === '"') {
      const raw = this.#string();
      if (raw === undefined || PLAIN_STRING.test(raw)) return raw;
      const decoded = decode(raw);
      return decoded === undefined ? undefined : JSON.stringify(decoded);
    }
    SCALAR.lastIndex = this.#at;
    const scalar = SCALAR.exec(this.#text)?.[0];
    if (scalar === undefined) return undefined;
    this.#at += scalar.length;
    return scalar === "true" || scalar === "false" || scalar === "null" ? scalar : canonicalJsonNumber(scalar);
  }

  /** Reads a member's key and colon. */
  key(container: Container): boolean {
    this.#skip();
    const raw = this.#text[this.#at] === '"' ? this.#string() : undefined;
    const key = raw === undefined ? undefined : decode(raw);
    if (key === undefined) return false;
    container.key = key;
    return this.take(":");
  }

  take(character: string): boolean {
    this.#skip();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  atEnd(): boolean {
    this.#skip();
    return this.#at === this.#text.length;
  }

  /** A string with its quotes, as it stands. */
  #string(): string | undefined {
    const text = this.#text;
    for (let end = this.#at + 1;; end++) {
      end = text.indexOf('"', end);
      if (end < 0) return undefined;
      let escapes = end;
      while (text[escapes - 1] === "\\") escapes--;
      if ((end - escapes) % 2 === 1) continue;
      const raw = text.slice(this.#at, end + 1);
      this.#at = end + 1;
      return raw;
    }
  }

  #skip(): void {
    // Most JSON texts that databases print have few spaces.
    if (this.#text.charCodeAt(this.#at) > 32) return;
    SPACE.lastIndex = this.#at;
    SPACE.test(this.#text);
    this.#at = SPACE.lastIndex;
  }
}

function decode(raw: string): string | undefined {
  if (PLAIN_STRING.test(raw)) return raw.slice(1, -1);
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
}

/** The order of code points, which is that of UTF-8 bytes and not that of JavaScript's `<`. */
function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (left === right) continue;
    const surrogates = Number(isSurrogate(left)) - Number(isSurrogate(right));
    return surrogates !== 0 && left >= 0xd800 && right >= 0xd800 ? surrogates : left - right;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
