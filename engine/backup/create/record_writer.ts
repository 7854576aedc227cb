import type { LargeFile, ScanRecord, Segment } from "./scan_record.ts";
import type { Spool } from "./spool.ts";

/** A segment is closed beyond any of these: small enough to balance workers. */
const MOST_BYTES = 32 << 20;
const MOST_FILES = 4096;
const MOST_TEXT = 1 << 20;

/** Pending files of a record. */
export interface PendingFiles {
  files: number;
  /** Of those that are not large. */
  bytes: number;
  /** Ordinals within the record. */
  large: LargeFile[];
}

export const NOTHING_PENDING: PendingFiles = { files: 0, bytes: 0, large: [] };

/** Collects records into segments and writes those to the spool. */
export class RecordWriter {
  readonly #spool: Spool;
  readonly #segments: Segment[] = [];
  #lines: string[] = [];
  #text = 0;
  #files = 0;
  #bytes = 0;
  #large: LargeFile[] = [];

  constructor(spool: Spool) {
    this.#spool = spool;
  }

  add(record: ScanRecord, { files, bytes, large }: PendingFiles = NOTHING_PENDING): void {
    const line = JSON.stringify(record);
    this.#lines.push(line);
    this.#text += line.length;
    for (const file of large) this.#large.push({ ...file, ordinal: this.#files + file.ordinal });
    this.#files += files;
    this.#bytes += bytes;
    if (this.#bytes >= MOST_BYTES || this.#files >= MOST_FILES || this.#text >= MOST_TEXT) this.#close();
  }

  #close(): void {
    const range = this.#spool.append(this.#lines.join("\n"));
    this.#segments.push({ range, files: this.#files, bytes: this.#bytes, large: this.#large });
    this.#lines = [];
    this.#text = this.#files = this.#bytes = 0;
    this.#large = [];
  }

  /** Writes what is left and returns all segments in order. */
  end(): Segment[] {
    if (this.#lines.length > 0) this.#close();
    return this.#segments;
  }
}

/** The records of a segment's text. */
export function parseRecords(text: string): ScanRecord[] {
  return text.split("\n").map((line) => JSON.parse(line) as ScanRecord);
}
