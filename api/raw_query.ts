import { decodeName } from "../engine/posix/name.ts";

/**
 * A parameter of a query whose bytes need be no UTF-8, as names of files: decoded as the engine does names. Undefined where the
 * query has none of that name, which is plain ASCII. Of several the first counts.
 */
export function rawQueryParameter(url: string, name: string): string | undefined {
  const query = url.slice(url.indexOf("?") + 1).split("#", 1)[0];
  const found = query.split("&").find((part) => part.startsWith(`${name}=`));
  return found === undefined ? undefined : decodeName(percentDecoded(found.slice(name.length + 1)));
}

/** As of a form: `+` is a space, and what is no escape stands for itself. */
function percentDecoded(text: string): Uint8Array {
  const given = new TextEncoder().encode(text);
  const bytes = new Uint8Array(given.length);
  let length = 0;
  for (let at = 0; at < given.length; at++) {
    const digits = String.fromCharCode(given[at + 1] ?? 0, given[at + 2] ?? 0);
    if (given[at] === 0x25 && /^[0-9a-f]{2}$/i.test(digits)) {
      bytes[length++] = parseInt(digits, 16);
      at += 2;
    } else {
      bytes[length++] = given[at] === 0x2b ? 0x20 : given[at];
    }
  }
  return bytes.subarray(0, length);
}
