/** Errors between threads: structured cloning keeps an error's name and message but drops its own properties. */

type Primitive = string | number | boolean | bigint | null | undefined;

/** An error as plain data. */
export interface WireError {
  name: string;
  message: string;
  stack?: string;
  /** Own enumerable properties with primitive values, such as `code`, `kind`, `details`, `path`. */
  properties: Record<string, Primitive>;
  cause?: WireError;
}

const MAX_CAUSES = 8;
const STANDARD = new Set(["name", "message", "stack", "cause"]);

function isPrimitive(value: unknown): value is Primitive {
  return value === null || (typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol");
}

/** Anything that was thrown, as data. Never throws: a property whose getter does is left out. */
export function toWire(thrown: unknown, depth = 0): WireError {
  if (!(thrown instanceof Error)) {
    return { name: "Error", message: `A value that is no error was thrown: ${describe(thrown)}`, properties: {} };
  }
  const properties: WireError["properties"] = {};
  for (const [key, { get, value }] of Object.entries(Object.getOwnPropertyDescriptors(thrown))) {
    if (get === undefined && !STANDARD.has(key) && isPrimitive(value)) properties[key] = value;
  }
  const wire: WireError = { name: String(thrown.name), message: String(thrown.message), properties };
  if (typeof thrown.stack === "string") wire.stack = thrown.stack;
  if (thrown.cause !== undefined && depth < MAX_CAUSES) wire.cause = toWire(thrown.cause, depth + 1);
  return wire;
}

function describe(value: unknown): string {
  return isPrimitive(value) || typeof value === "symbol" ? String(value) : Object.prototype.toString.call(value);
}

const BUILT_IN: Record<string, new (message: string, options?: ErrorOptions) => Error> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/**
 * The error again: of its class where that is one of the language's own, else an `Error` that carries the class's name,
 * so callers tell errors apart by `name`, `kind` or `code`, not by `instanceof`.
 */
export function fromWire(wire: WireError): Error {
  const options = wire.cause === undefined ? undefined : { cause: fromWire(wire.cause) };
  const error = new (BUILT_IN[wire.name] ?? Error)(wire.message, options);
  const hidden = { writable: true, configurable: true, enumerable: false };
  if (error.name !== wire.name) Object.defineProperty(error, "name", { ...hidden, value: wire.name });
  Object.defineProperty(error, "stack", { ...hidden, value: wire.stack ?? `${wire.name}: ${wire.message}` });
  for (const [key, value] of Object.entries(wire.properties)) {
    Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: true });
  }
  return error;
}
