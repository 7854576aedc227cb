import { createHash, randomBytes } from "node:crypto";
import * as fs from "node:fs/promises";
import { createReadStream } from "node:fs";
import { EngineError } from "../errors.ts";
import type { DatabaseDiff, RowDifference, SyncDatabaseRequest, SyncDatabaseResult } from "./request.ts";

/** What a diff found: its summary, and its differences in a file, a line of JSON each. */
export interface StoredDiff {
  summary: SyncDatabaseResult;
  /** The file lies in this directory, which goes with it. */
  directory: string;
  file: string;
  totalCount: number;
}

interface Kept extends StoredDiff {
  request: string;
  timer: ReturnType<typeof setTimeout>;
  /** Line at which a page begins → its offset in the file. */
  pages: Map<number, number>;
}

/** A page's beginning. */
interface Place {
  id: string;
  line: number;
}

const KEEP_MS = 3_600_000;
const MOST_KEPT = 8;
const PIECE = 1 << 20;
const LINE_FEED = 10;

/** Keeps the results of diffs for their next pages: each for an hour, and only the newest few. */
export class DiffStore {
  readonly #kept = new Map<string, Kept>();

  /** @returns the place of its first page */
  add(request: SyncDatabaseRequest, diff: StoredDiff): Place {
    const id = randomBytes(16).toString("hex");
    const timer = setTimeout(() => this.#drop(id), KEEP_MS);
    timer.unref();
    this.#kept.set(id, { ...diff, request: digest(request), timer, pages: new Map([[0, 0]]) });
    for (const old of this.#kept.keys()) {
      if (this.#kept.size <= MOST_KEPT) break;
      this.#drop(old);
    }
    return { id, line: 0 };
  }

  /** @throws EngineError `invalid` for what is no cursor of this request, `not-found` where its result has gone */
  find(request: SyncDatabaseRequest, cursor: string): Place {
    const [, id, line] = cursor.match(/^([0-9a-f]{32})-([0-9]{1,15})$/) ?? [];
    const kept = this.#kept.get(id);
    if (id === undefined || kept !== undefined && !(kept.request === digest(request) && kept.pages.has(Number(line)))) {
      const details =
        "cursor is not one that a diff with the same fields returned; send the first request's fields again.";
      throw new EngineError("invalid", "The request cannot be carried out", details);
    }
    if (kept === undefined) throw gone();
    return { id, line: Number(line) };
  }

  /** The page that begins at a place. */
  async page({ id, line }: Place, limit: number): Promise<DatabaseDiff> {
    const kept = this.#kept.get(id);
    if (kept === undefined) throw gone();
    const { summary, totalCount, file, pages } = kept;
    const begin = pages.get(line) as number;
    const next = Math.min(line + limit, totalCount);
    const end = await offsetAfter(file, begin, next - line);
    pages.set(next, end);
    const nextCursor = next < totalCount ? `${id}-${next}` : null;
    const differences = () => readDifferences(file, begin, end);
    return { summary, totalCount, cursor: `${id}-${line}`, nextCursor, differences };
  }

  #drop(id: string): void {
    const kept = this.#kept.get(id);
    if (kept === undefined) return;
    this.#kept.delete(id);
    clearTimeout(kept.timer);
    // What cannot be removed now goes at the next start, with everything else there.
    void fs.rm(kept.directory, { recursive: true, force: true }).catch(() => {});
  }
}

function gone(): EngineError {
  const details = "cursor: the result that it goes on reading is no longer kept; ask for the diff again without it.";
  return new EngineError("not-found", "The result has expired", details);
}

function digest(request: SyncDatabaseRequest): string {
  return createHash("sha256").update(JSON.stringify(request)).digest("hex");
}

/** Where so many lines end that begin at an offset. */
async function offsetAfter(path: string, offset: number, lines: number): Promise<number> {
  if (lines === 0) return offset;
  const piece = new Uint8Array(PIECE);
  await using file = await fs.open(path, "r");
  for (;;) {
    const { bytesRead } = await file.read(piece, 0, PIECE, offset);
    if (bytesRead === 0) throw new Error(`Cannot read the differences: ${path} is shorter than it was written`);
    for (let at = piece.indexOf(LINE_FEED); at >= 0 && at < bytesRead; at = piece.indexOf(LINE_FEED, at + 1)) {
      lines--;
      if (lines === 0) return offset + at + 1;
    }
    offset += bytesRead;
  }
}

async function* readDifferences(path: string, begin: number, end: number): AsyncGenerator<RowDifference> {
  if (begin === end) return;
  let line: string[] = [];
  // Not by `readline`, for which U+2028 in a value ends a line.
  for await (const piece of createReadStream(path, { start: begin, end: end - 1, encoding: "utf8" })) {
    const parts = (piece as string).split("\n");
    for (const part of parts.slice(0, -1)) {
      line.push(part);
      yield JSON.parse(line.join(""));
      line = [];
    }
    line.push(parts[parts.length - 1]);
  }
}
