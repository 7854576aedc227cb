import * as fs from "node:fs";
import assert from "node:assert/strict";
import { inlinePool } from "./inline_pool.ts";
import { PathLocks } from "./locks.ts";
import { prepareDataDirectory, syncFiles } from "./sync.ts";
import type { SyncFilesRequest, SyncFilesResult } from "./types.ts";

export type Part = Partial<SyncFilesRequest>;
/** Called before each task. */
export type Hook = (task: string, input: unknown) => void;

/** When a test steps in. */
export interface Hooks {
  before?: Hook;
  /** Called at each checkpoint of a task. */
  atCheckpoint?: (task: string) => void;
  signal?: AbortSignal;
}

/** For tests: a source, a target and runs between them, in a temporary directory. */
export class World implements Disposable {
  readonly path = Deno.realPathSync(Deno.makeTempDirSync());
  readonly source = `${this.path}/source`;
  readonly target = `${this.path}/target`;
  readonly #locks = new PathLocks();
  #runs = 0;

  constructor() {
    fs.mkdirSync(this.source);
  }

  async sync(part: Part = {}, hooks: Hook | Hooks = {}): Promise<SyncFilesResult> {
    const { before, atCheckpoint, signal = new AbortController().signal } = typeof hooks === "function"
      ? { before: hooks }
      : hooks;
    const services = { pool: inlinePool(before, atCheckpoint), dataDir: `${this.path}/data`, locks: this.#locks };
    fs.mkdirSync(services.dataDir, { recursive: true });
    await prepareDataDirectory(services.dataDir);
    const job = { sessionId: `run${++this.#runs}`, signal, progress: () => {} };
    return await syncFiles(this.request(part), services, job);
  }

  request(part: Part = {}): SyncFilesRequest {
    return {
      sourceDirectory: this.source,
      targetDirectory: this.target,
      deleteMissingInTarget: false,
      verifyIntegrity: false,
      excludePatterns: [],
      includePatterns: [],
      direction: "one-way",
      conflictStrategy: "SourceWins",
      dryRun: false,
      trashRetentionDays: 30,
      preservePermissions: true,
      ...part,
    };
  }

  write(path: string, text: string): void {
    const full = `${this.path}/${path}`;
    fs.mkdirSync(full.slice(0, full.lastIndexOf("/")), { recursive: true });
    fs.writeFileSync(full, text);
  }

  /** Every path below a directory, with a file's text or a link's target. */
  list(root: string): Record<string, string> {
    const found: Record<string, string> = {};
    for (const entry of fs.readdirSync(root, { recursive: true, withFileTypes: true })) {
      const path = `${entry.parentPath}/${entry.name}`;
      const text = entry.isFile()
        ? fs.readFileSync(path, "utf8")
        : entry.isSymbolicLink()
        ? fs.readlinkSync(path)
        : "/";
      found[path.slice(root.length + 1)] = text;
    }
    return found;
  }

  assertEqual(): void {
    assert.deepEqual(this.list(this.target), this.list(this.source));
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
