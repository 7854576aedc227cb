type Token =
  | { type: "star"; crossesSlashes: boolean }
  | { type: "one"; matches: (character: string) => boolean };

/**
 * A pattern of names: `*` and `?` do not match a `/`, `**` matches anything, `[…]` one of some characters. One without a `/` is of an
 * object's name, one with it of its whole path. No pattern takes longer than its length times that of the name.
 */
export function globMatcher(pattern: string): (path: string) => boolean {
  const tokens = parse(pattern);
  if (pattern.includes("/")) return (path) => matches(tokens, path);
  return (path) => matches(tokens, path.slice(path.lastIndexOf("/") + 1));
}

function parse(pattern: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length;) {
    const set = /^\[(!?)([^\]/]+)\]/.exec(pattern.slice(at));
    const character = String.fromCodePoint(pattern.codePointAt(at) as number);
    if (character === "*") {
      const crossesSlashes = pattern.startsWith("**", at);
      tokens.push({ type: "star", crossesSlashes });
      at += crossesSlashes ? 2 : 1;
    } else if (set !== null) {
      tokens.push({ type: "one", matches: memberOf(set[2], set[1] === "") });
      at += set[0].length;
    } else {
      const isAny = character === "?";
      tokens.push({ type: "one", matches: isAny ? (given) => given !== "/" : (given) => given === character });
      at += character.length;
    }
  }
  return tokens;
}

/** A set of characters and ranges, such as `a-c_`. */
function memberOf(text: string, isIn: boolean): (character: string) => boolean {
  const characters = [...text];
  const ranges: [number, number][] = [];
  for (let at = 0; at < characters.length; at++) {
    const isRange = characters[at + 1] === "-" && at + 2 < characters.length;
    const [first, last] = [characters[at], characters[isRange ? at + 2 : at]].map((c) => c.codePointAt(0) as number);
    ranges.push([first, last]);
    if (isRange) at += 2;
  }
  return (given) => {
    const code = given.codePointAt(0) as number;
    return ranges.some(([first, last]) => first <= code && code <= last) === isIn;
  };
}

/** Follows all ways of matching at once: `reached[i]` says whether the first `i` tokens match what was read. */
function matches(tokens: Token[], text: string): boolean {
  let reached = new Uint8Array(tokens.length + 1);
  let next = new Uint8Array(tokens.length + 1);
  reached[0] = 1;
  passStars(tokens, reached);
  for (const character of text) {
    next.fill(0);
    for (let at = 0; at < tokens.length; at++) {
      if (reached[at] === 0) continue;
      const token = tokens[at];
      if (token.type === "one") {
        if (token.matches(character)) next[at + 1] = 1;
      } else if (token.crossesSlashes || character !== "/") next[at] = 1;
    }
    passStars(tokens, next);
    [reached, next] = [next, reached];
  }
  return reached[tokens.length] === 1;
}

/** A star matches nothing, too. */
function passStars(tokens: Token[], reached: Uint8Array): void {
  for (let at = 0; at < tokens.length; at++) if (reached[at] === 1 && tokens[at].type === "star") reached[at + 1] = 1;
}
