/**
 * A pattern of names as a regular expression: `*` and `?` do not match a `/`, `**` matches anything, `[…]` one of some characters. One
 * without a `/` is of an object's name, one with it of its whole path.
 */
export function globMatcher(pattern: string): (path: string) => boolean {
  const whole = new RegExp(`^${translate(pattern)}$`, "su");
  if (pattern.includes("/")) return (path) => whole.test(path);
  return (path) => whole.test(path.slice(path.lastIndexOf("/") + 1));
}

function translate(pattern: string): string {
  let out = "";
  for (let at = 0; at < pattern.length;) {
    const set = /^\[(!?)([^\]/]+)\]/.exec(pattern.slice(at));
    if (pattern.startsWith("**", at)) {
      out += ".*";
      at += 2;
    } else if (set !== null) {
      out += `[${set[1] === "" ? "" : "^"}${set[2].replace(/[\\^[&~|]/g, "\\$&").replace(/^-|-$/g, "\\-")}]`;
      at += set[0].length;
    } else {
      const character = String.fromCodePoint(pattern.codePointAt(at) as number);
      if (character === "*") out += "[^/]*";
      else if (character === "?") out += "[^/]";
      else out += character.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
      at += character.length;
    }
  }
  return out;
}
