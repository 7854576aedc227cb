/**
 * File names as strings. A Linux name is any bytes but `/` and NUL. Bytes that are not UTF-8 become the lone surrogates
 * U+DC80 to U+DCFF, one a byte, and come back unchanged (as in Python's PEP 383), so no name is ever lost or mixed up.
 */

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** The string of a name's bytes. */
export function decodeName(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeBroken(bytes);
  }
}

/** Length of the valid UTF-8 sequence at `at`, or 0 (RFC 3629, section 4). */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at];
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + length > bytes.length) return 0;
  const second = bytes[at + 1];
  if (first === 0xe0 && second < 0xa0 || first === 0xed && second > 0x9f) return 0;
  if (first === 0xf0 && second < 0x90 || first === 0xf4 && second > 0x8f) return 0;
  for (let i = 1; i < length; i++) {
    if ((bytes[at + i] & 0xc0) !== 0x80) return 0;
  }
  return length;
}

function decodeBroken(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      text += String.fromCharCode(0xdc00 + bytes[at++]);
    } else {
      text += strict.decode(bytes.subarray(at, at + length));
      at += length;
    }
  }
  return text;
}

/** Writes a name's or path's bytes to `out` and returns their number, or −1 where they do not fit. */
export function encodeNameInto(name: string, out: Uint8Array): number {
  if (name.isWellFormed()) {
    const { read, written } = encoder.encodeInto(name, out);
    return read === name.length ? written : -1;
  }
  let length = 0;
  for (const character of name) {
    const code = character.codePointAt(0) as number;
    if (code >= 0xdc80 && code <= 0xdcff) {
      if (length >= out.length) return -1;
      out[length++] = code - 0xdc00;
    } else {
      const { read, written } = encoder.encodeInto(character, out.subarray(length));
      if (read !== character.length) return -1;
      length += written;
    }
  }
  return length;
}

/** A name or path for a person, a log line or JSON: well-formed, bytes that are not UTF-8 as `\xNN`. */
export function displayName(name: string): string {
  if (name.isWellFormed()) return name;
  return name.replace(
    /[\ud800-\udbff][\udc00-\udfff]|[\udc80-\udcff]/g,
    (part) => part.length === 2 ? part : "\\x" + (part.charCodeAt(0) - 0xdc00).toString(16),
  );
}
