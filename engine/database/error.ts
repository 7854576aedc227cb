/**
 * What kept a database from doing what was asked:
 * - `connection`: it cannot be reached, or the connection was lost. `authentication`: it refused the user or the password.
 * - `missing`: a database, table or column is not there. `ambiguous`: several tables answer to a name.
 * - `permission`, `read-only`: the user may not, or nobody may.
 * - `unique`, `foreign-key`, `check`, `not-null`: a constraint refused a row.
 * - `value`: the target cannot hold a value.
 * - `deadlock`, `lock-timeout`: another transaction was in the way; trying again may help.
 * - `other`: everything else, in the server's words.
 */
export type DatabaseErrorKind =
  | "connection"
  | "authentication"
  | "missing"
  | "ambiguous"
  | "permission"
  | "read-only"
  | "unique"
  | "foreign-key"
  | "check"
  | "not-null"
  | "value"
  | "deadlock"
  | "lock-timeout"
  | "other";

/** What is known of where it happened. */
export interface DatabaseErrorPlace {
  table?: string;
  column?: string;
  constraint?: string;
  /** Position in the rows of the call that failed. */
  row?: number;
  /** The transaction is over; the connection may be too. */
  aborts?: boolean;
}

/** A database's refusal or failure, in words that are safe to show: no connection string, no password. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  readonly kind: DatabaseErrorKind;
  readonly place: DatabaseErrorPlace;

  constructor(kind: DatabaseErrorKind, message: string, place: DatabaseErrorPlace = {}, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
    this.place = place;
  }
}
