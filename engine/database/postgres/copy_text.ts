import { Buffer } from "node:buffer";
import type { Row } from "../types.ts";

/** PostgreSQL's text format of COPY: a line a row, tabs between values, `\N` for NULL. */

/** Bytes of a piece that is sent. */
const PIECE = 256 * 1024;
const SPECIAL = /[\\\n\r\t]/;
const ESCAPES: Record<string, string> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
const CHARACTERS: Record<string, string> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f", v: "\v" };

export function copyValue(value: string | null): string {
  if (value === null) return "\\N";
  return SPECIAL.test(value) ? value.replace(/[\\\n\r\t]/g, (character) => ESCAPES[character]) : value;
}

/** Lines in pieces of about {@link PIECE} bytes. */
export function* copyPieces(lines: Iterable<string>): Generator<Buffer> {
  let text = "";
  for (const line of lines) {
    text += line;
    text += "\n";
    if (text.length >= PIECE) {
      yield Buffer.from(text);
      text = "";
    }
  }
  if (text !== "") yield Buffer.from(text);
}

/** How many rows end in a piece: a line feed in a value is escaped. */
export function linesIn(piece: Uint8Array): number {
  let lines = 0;
  for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) lines++;
  return lines;
}

/** Rows of what the server sent, in batches as they arrive. */
export async function* copiedRows(pieces: AsyncIterable<Buffer>): AsyncGenerator<Row[]> {
  let rest: Buffer[] = [];
  for await (const piece of pieces) {
    const end = piece.lastIndexOf(10);
    if (end < 0) {
      rest.push(piece);
      continue;
    }
    const whole = rest.length === 0 ? piece.subarray(0, end) : Buffer.concat([...rest, piece.subarray(0, end)]);
    rest = end + 1 < piece.length ? [piece.subarray(end + 1)] : [];
    yield parseLines(whole.toString());
  }
}

function parseLines(text: string): Row[] {
  const lines = text.split("\n");
  const plain = !text.includes("\\");
  const rows = new Array<Row>(lines.length);
  for (let at = 0; at < lines.length; at++) {
    const values: Row = lines[at].split("\t");
    if (!plain && lines[at].includes("\\")) {
      for (let n = 0; n < values.length; n++) values[n] = parseValue(values[n] as string);
    }
    rows[at] = values;
  }
  return rows;
}

function parseValue(text: string): string | null {
  if (text === "\\N") return null;
  if (!text.includes("\\")) return text;
  return text.replace(/\\(.)/gs, (_, character: string) => CHARACTERS[character] ?? character);
}
