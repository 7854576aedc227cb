/** A value as `node:sqlite` hands it out and takes it; its JavaScript type tells SQLite's storage class. */
export type Stored = bigint | number | string | Uint8Array | null;

/** An identifier in SQL. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The bytes of a text that are not of its encoding, which can be told apart from others but not carried. */
export class InvalidText extends Uint8Array {}
