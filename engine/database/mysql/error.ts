/** The servers' error numbers, in the words that all engines share. */
import { DatabaseError, type DatabaseErrorKind, type DatabaseErrorPlace } from "../error.ts";

const KINDS: [DatabaseErrorKind, number[]][] = [
  ["authentication", [1045, 1130, 1251, 1275, 1698, 1820, 1862, 3118, 3159, 4151]],
  ["permission", [1044, 1142, 1143, 1227, 1370, 1419]],
  ["missing", [1049, 1054, 1109, 1146, 1305, 1356]],
  ["read-only", [1288, 1290, 1792, 1836, 1874, 3100]],
  ["unique", [1022, 1062, 1169, 1557, 1586, 1761, 1762, 1859]],
  ["foreign-key", [1216, 1217, 1451, 1452]],
  ["check", [3819, 4025]],
  ["not-null", [1048, 1263, 1364, 1566]],
  ["value", [
    1118,
    1153,
    1264,
    1265,
    1292,
    1300,
    1301,
    1366,
    1367,
    1406,
    1411,
    1416,
    1441,
    1525,
    1690,
    3140,
    3141,
    3156,
    4038,
  ]],
  ["deadlock", [1020, 1213, 1614]],
  ["lock-timeout", [1205, 3572]],
  ["connection", [1040, 1053, 1077, 1129, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1226, 1927, 2006, 2013, 4031]],
];

const KIND = new Map(KINDS.flatMap(([kind, numbers]) => numbers.map((number) => [number, kind] as const)));

/** As `mysql2` reports what the server said, or what happened to the connection. */
interface DriverError extends Error {
  code?: string;
  errno?: number;
  sqlMessage?: string;
  fatal?: boolean;
}

/** The same as a {@link DatabaseError}, without the statement, which holds users' data. */
export function databaseError(error: unknown, place: DatabaseErrorPlace = {}): DatabaseError {
  if (error instanceof DatabaseError) return withPlace(error, place);
  const { code, errno, sqlMessage, message } = error as DriverError;
  if (sqlMessage === undefined || errno === undefined) return lost(code, message, place);
  const kind = KIND.get(errno) ?? "other";
  // After a lock timeout too, where the server has innodb_rollback_on_timeout.
  const over = kind === "connection" || kind === "deadlock" || kind === "lock-timeout";
  const found = { ...fromMessage(sqlMessage), ...place, ...(over ? { aborts: true } : {}) };
  return new NumberedError(kind, sqlMessage, found, errno);
}

/** The server's number of an error, where it comes from the server. */
export function errorNumber(error: unknown): number | undefined {
  return error instanceof NumberedError ? error.number : undefined;
}

/** The same error with more known of where it happened. */
export function withPlace(error: DatabaseError, place: DatabaseErrorPlace): DatabaseError {
  const merged = { ...place, ...error.place };
  const number = errorNumber(error);
  return number === undefined
    ? new DatabaseError(error.kind, error.message, merged)
    : new NumberedError(error.kind, error.message, merged, number);
}

class NumberedError extends DatabaseError {
  readonly number: number;

  constructor(kind: DatabaseErrorKind, message: string, place: DatabaseErrorPlace, number: number) {
    super(kind, message, place);
    this.number = number;
  }
}

const NETWORK: Record<string, string> = {
  ECONNREFUSED: "nothing listens at the address and port",
  ENOTFOUND: "the host name is not known",
  EAI_AGAIN: "the host name cannot be looked up now",
  ETIMEDOUT: "no answer in time",
  ENETUNREACH: "the network cannot be reached",
  EHOSTUNREACH: "the host cannot be reached",
  HANDSHAKE_NO_SSL_SUPPORT: "the server offers no encrypted connection",
};

function lost(code: string | undefined, message: string, place: DatabaseErrorPlace): DatabaseError {
  const words = code === undefined ? undefined : NETWORK[code];
  return new DatabaseError("connection", words ?? message, { ...place, aborts: true });
}

function fromMessage(message: string): DatabaseErrorPlace {
  const place: DatabaseErrorPlace = {};
  const column = /column '([^']+)'/i.exec(message)?.[1] ?? /column (?:`[^`]*`\.){0,2}`([^`]+)`/.exec(message)?.[1] ??
    /Field '([^']+)' doesn't have a default/.exec(message)?.[1];
  if (column !== undefined) place.column = column;
  const constraint = / for key '([^']+)'$/.exec(message)?.[1] ?? /CONSTRAINT `([^`]+)`/.exec(message)?.[1] ??
    /Check constraint '([^']+)'/.exec(message)?.[1];
  if (constraint !== undefined) place.constraint = constraint;
  return place;
}
