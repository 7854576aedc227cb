/** Takes secrets out of what is logged. */

const SECRET_NAME = /authorization|cookie|password|passwd|pwd|secret|token|connectionstring|apikey$/i;
/** Tokens of this server, bearer credentials, and the passwords of URLs and `Key=Value;` connection strings. */
const SECRET_TEXT =
  /syncline_[\w-]{8,}|bearer +[\w.~+/=-]+|(?<=\b[a-z][a-z0-9+.-]*:\/\/[^\s:@/"]*:)[^\s@/"]+(?=@)|(?<=\b(?:password|pwd) *= *)[^;\s"]+/gi;
const MIGHT_HOLD_SECRET = /syncline_|bearer|:\/\/|password|pwd/i;
const HIDDEN = "[hidden]";
const MAX_DEPTH = 4;

/** The text with every credential that it holds replaced. */
export function redactText(text: string): string {
  return MIGHT_HOLD_SECRET.test(text) ? text.replace(SECRET_TEXT, HIDDEN) : text;
}

/** A logged value: hidden where its name says that it is a secret, errors as their message, nested values alike. */
export function redactValue(name: string, value: unknown, depth = 0): unknown {
  if (value === undefined || value === null) return value;
  if (SECRET_NAME.test(name)) return HIDDEN;
  if (typeof value !== "object") return value;
  if (value instanceof Error) return describeError(value);
  if (depth >= MAX_DEPTH) return "…";
  if (Array.isArray(value)) return value.map((item) => redactValue("", item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactValue(key, item, depth + 1)]));
}

/** An error with its stack and causes: for the log only, never for an answer. */
function describeError(error: Error): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  return { name, message, stack, ...(cause instanceof Error ? { cause: describeError(cause) } : {}) };
}
