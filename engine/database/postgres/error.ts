import { DatabaseError, type DatabaseErrorKind, type DatabaseErrorPlace } from "../error.ts";

/** Kinds by SQLSTATE, and by its class where the whole class is one. */
const KINDS: Record<string, DatabaseErrorKind> = {
  "08": "connection",
  "22": "value",
  "28": "authentication",
  "23001": "foreign-key",
  "23502": "not-null",
  "23503": "foreign-key",
  "23505": "unique",
  "23514": "check",
  "23P01": "unique",
  "25006": "read-only",
  "3D000": "missing",
  "3F000": "missing",
  "40001": "deadlock",
  "40P01": "deadlock",
  "42501": "permission",
  "42703": "missing",
  "42P01": "missing",
  "53300": "connection",
  "55P03": "lock-timeout",
  "57P01": "connection",
  "57P02": "connection",
  "57P03": "connection",
  "57P05": "connection",
};

/** What a failed call was about. */
export interface ErrorContext {
  /** `Table.id`. */
  table?: string;
  /** The relation that rows were copied into, as the server calls it in an error's context, and where its first row is among the call's. */
  copy?: { relation: string; firstRow: number };
}

/** What the server says in an error. */
interface ServerError extends Error {
  code: string;
  severity: string;
  detail?: string;
  hint?: string;
  where?: string;
  column?: string;
  constraint?: string;
}

function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && typeof (error as ServerError).code === "string" &&
    typeof (error as ServerError).severity === "string";
}

/** An error of the client as the engine's own; never with more than the server's words or the network's. */
export function databaseError(error: unknown, context: ErrorContext = {}): DatabaseError {
  if (error instanceof DatabaseError) return error;
  if (isServerError(error)) return serverError(error, context);
  if (error instanceof Error && /^SASL|password/i.test(error.message)) {
    return new DatabaseError("authentication", "The server wants a password, and refused the one that there is", {
      aborts: true,
    });
  }
  const words = error instanceof Error ? error.message : String(error);
  return new DatabaseError("connection", `The connection to the server failed: ${words}`, { aborts: true });
}

function serverError(error: ServerError, context: ErrorContext): DatabaseError {
  const kind = KINDS[error.code] ?? KINDS[error.code.slice(0, 2)] ?? "other";
  const place: DatabaseErrorPlace = { table: context.table, constraint: error.constraint, column: error.column };
  if (context.copy !== undefined && error.where !== undefined) {
    const at = copyPlace(error.where, context.copy.relation);
    if (at !== undefined) place.row = context.copy.firstRow + at.line - 1;
    place.column ??= at?.column;
  }
  const isOver = kind === "connection" || kind === "authentication" || ["FATAL", "PANIC"].includes(error.severity);
  if (isOver) place.aborts = true;
  for (const name of Object.keys(place) as (keyof DatabaseErrorPlace)[]) {
    if (place[name] === undefined) delete place[name];
  }
  let message = error.message;
  if (error.detail !== undefined) message += `: ${error.detail.replace(/\.$/, "")}`;
  if (kind === "other" && error.hint !== undefined) message += ` (${error.hint.replace(/\.$/, "")})`;
  return new DatabaseError(kind, message, place);
}

/** Line and column of `COPY relation, line 5, column amount: "x"`, whose words are in the server's language. */
function copyPlace(where: string, relation: string): { line: number; column?: string } | undefined {
  const start = `COPY ${relation}, `;
  const line = where.split("\n").find((line) => line.startsWith(start));
  const parts = line === undefined ? null : /^\D*(\d+)(?:, [^\s"]+ (.+?): )?/.exec(line.slice(start.length));
  return parts === null ? undefined : { line: Number(parts[1]), column: parts[2] };
}
