/** Names that have broken synchronisers before, as binary strings. */
import type { Random } from "./random.ts";
import { utf8 } from "./raw_fs.ts";

const AWKWARD = [
  "two words",
  "line\nbreak",
  "tab\there",
  "-rf",
  "--help",
  "'single'",
  '"double"',
  "back\\slash",
  "$(true)",
  "`id`",
  "*",
  "?",
  "[a-z]",
  "!bang",
  "#hash",
  "~",
  ".hidden",
  "...",
  " leading",
  "trailing ",
  "semi;colon",
  "a&b",
  "%s%n",
  "\u0001\u001b[31m",
  "CON",
  "nul",
  "name.tmp",
  "name~",
  ".#lock",
  "Thumbs.db",
  "é",
  "e\u0301",
  "日本語",
  "😀 emoji",
  "\u202eright to left",
  "ﬁ",
  "I",
  "ı",
  "__proto__",
  "constructor",
  "0",
  "null",
  "a:b",
  "a|b",
  "{a,b}",
  "\u00a0",
].map(utf8);

const INVALID = ["\xff\xfe", "caf\xe9", "\xc3", "a\x80b", "\xed\xa0\x80", "\xf0\x9f\x98"];

/** A name of at most 255 bytes; unique through `serial`, but for some of the awkward ones. */
export function randomName(random: Random, serial: number, invalidUtf8: boolean): string {
  if (invalidUtf8 && random.oneIn(6)) return `${random.pick(INVALID)}${serial}`;
  switch (random.below(8)) {
    case 0:
      return random.pick(AWKWARD);
    case 1:
      return `${random.pick(AWKWARD)}${serial}`;
    case 2:
      return `long-${serial}-`.padEnd(255, "x");
    case 3:
      return `CASE${serial % 7}`[random.oneIn(2) ? "toLowerCase" : "toUpperCase"]();
    default:
      return `${random.pick(["file", "note", "img", "data"])}-${serial}${random.pick(["", ".txt", ".bin", ".jpg"])}`;
  }
}
