import { DatabaseError, type DatabaseErrorKind, type DatabaseErrorPlace } from "../error.ts";

/** SQLite's result codes, and of constraints the extended ones. */
const KINDS: ReadonlyMap<number, DatabaseErrorKind> = new Map([
  [3, "permission"],
  [5, "lock-timeout"],
  [6, "lock-timeout"],
  [8, "read-only"],
  [14, "connection"],
  [18, "value"],
  [20, "value"],
  [275, "check"],
  [787, "foreign-key"],
  [1299, "not-null"],
  [1555, "unique"],
  [1811, "check"],
  [2067, "unique"],
  [2579, "unique"],
  [3091, "value"],
]);

/** Not every error of `node:sqlite` has a code. */
const MESSAGES: [RegExp, DatabaseErrorKind][] = [
  [/is locked$/, "lock-timeout"],
  [/readonly database|^cannot modify/, "read-only"],
  [/^no such (table|column)/, "missing"],
  [/unable to open/, "connection"],
  [/^UNIQUE constraint/, "unique"],
  [/^FOREIGN KEY constraint/, "foreign-key"],
  [/^NOT NULL constraint/, "not-null"],
  [/^CHECK constraint/, "check"],
  [/^cannot store|^datatype mismatch|too big/, "value"],
];

const WORDS: Partial<Record<DatabaseErrorKind, string>> = {
  "lock-timeout": "another program holds the lock of the database file",
};

/** What SQLite refused, in the terms that all engines share; whatever else was thrown stays as it is. */
export function sqliteFailure(error: unknown, place: DatabaseErrorPlace = {}): unknown {
  if (!isSqliteError(error)) return error;
  const code = error.errcode ?? 0;
  const kind = KINDS.get(code) ?? KINDS.get(code & 0xff) ??
    MESSAGES.find(([pattern]) => pattern.test(error.message))?.[1] ?? "other";
  const isFile = kind === "read-only" && !error.message.startsWith("cannot");
  const words = isFile ? "the database file or its directory cannot be written" : WORDS[kind] ?? error.message;
  const named = /constraint failed: ([^.,]+)\.([^,]+)$|column ([^.,]+)\.([^,]+)$/.exec(error.message);
  const column = kind === "check" ? undefined : named?.[2] ?? named?.[4];
  const constraint = kind === "check" ? /^CHECK constraint failed: (.*)$/s.exec(error.message)?.[1] : undefined;
  const message = place.table === undefined || error.message.includes(place.table) ? words : `${place.table}: ${words}`;
  const known = {
    ...place,
    ...(column === undefined ? {} : { column }),
    ...(constraint === undefined ? {} : { constraint }),
  };
  return new DatabaseError(kind, message, known, { cause: error });
}

export function isBusy(error: unknown): boolean {
  return isSqliteError(error) && /is locked$/.test(error.message);
}

function isSqliteError(error: unknown): error is Error & { errcode?: number } {
  return error instanceof Error && (error as { code?: unknown }).code === "ERR_SQLITE_ERROR";
}
