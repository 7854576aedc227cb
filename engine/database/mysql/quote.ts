/** Names and values in statements. */

/** An identifier, whatever it contains. */
export function quoteName(name: string): string {
  return "`" + name.replaceAll("`", "``") + "`";
}

const SPECIAL = /['\\\0]/;

/** A string literal; sessions have neither NO_BACKSLASH_ESCAPES nor ANSI_QUOTES. */
export function quoteText(text: string): string {
  if (!SPECIAL.test(text)) return `'${text}'`;
  return `'${text.replace(/['\\]/g, "\\$&").replaceAll("\0", "\\0")}'`;
}
