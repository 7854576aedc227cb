/** For tests: a source, a repository, a target, and what the engine needs between them, in a temporary directory. */
import * as fs from "node:fs";
import type { Chunking, RepositoryAccess } from "../repository/access.ts";
import { createBackup } from "../create/create.ts";
import { type BackupOperations, backupOperations } from "../mod.ts";
import { initRepository } from "../repository/repository.ts";
import { restoreBackup } from "../restore/restore.ts";
import type { BackupServices, CreateRequest, CreateResult, RestoreRequest, RestoreResult } from "../types.ts";
import type { Version } from "../versions/version.ts";
import { smallBackup, type SmallBackupOptions } from "./small_backup.ts";
import { MemoryStore } from "../../cloud/memory_store.ts";
import type { ObjectStore, StoreLocation } from "../../cloud/object_store.ts";
import { forgetMemoryStore, registerMemoryStore } from "../../cloud/open_store.ts";
import { inlinePool } from "../../files/inline_pool.ts";
import { PathLocks } from "../../files/locks.ts";
import type { ProgressUpdate } from "../../jobs/types.ts";
import type { TaskPool } from "../../../workers/types.ts";

export interface BackupWorldOptions {
  /** Makes the repository encrypted. */
  password?: string;
  chunking?: Chunking;
  /** Default: in this thread, one task after the other. */
  pool?: TaskPool;
  /** A directory in place of a store in memory, as workers need it. */
  onDisk?: boolean;
}

export class BackupWorld implements Disposable {
  readonly path = Deno.realPathSync(Deno.makeTempDirSync());
  readonly source = `${this.path}/source`;
  readonly target = `${this.path}/target`;
  readonly location: StoreLocation;
  readonly services: BackupServices;
  readonly progress: ProgressUpdate[] = [];
  /** Objects of the repository, where it is in memory. */
  readonly store = new MemoryStore();
  access!: RepositoryAccess;
  #runs = 0;

  private constructor({ password, pool = inlinePool(), onDisk = false }: BackupWorldOptions) {
    fs.mkdirSync(this.source);
    fs.mkdirSync(`${this.path}/data/tmp`, { recursive: true });
    this.location = onDisk
      ? { type: "directory", path: `${this.path}/repository` }
      : registerMemoryStore(this.path, this.store);
    this.services = { pool, dataDir: `${this.path}/data`, locks: new PathLocks(), password, host: "here" };
  }

  static async make(options: BackupWorldOptions = {}): Promise<BackupWorld> {
    const world = new BackupWorld(options);
    world.access = await initRepository(world.location, options);
    return world;
  }

  /** What the API and the command line call. */
  get operations(): BackupOperations {
    return backupOperations(this.services);
  }

  /** Puts another store in the repository's place. */
  replaceStore(store: ObjectStore): void {
    registerMemoryStore(this.path, store);
  }

  /** A backup by the engine; {@link backup} is one in a few lines, for tests of what reads versions. */
  async create(
    part: Partial<CreateRequest> = {},
    services: Partial<BackupServices> = {},
    signal = new AbortController().signal,
  ): Promise<CreateResult> {
    const request: CreateRequest = {
      sourceDirectory: this.source,
      repository: this.location,
      isFullBackup: false,
      description: "",
      excludePatterns: [],
      ...part,
    };
    const job = {
      sessionId: `run${++this.#runs}`,
      signal,
      progress: (update: ProgressUpdate) => void this.progress.push(update),
    };
    return await createBackup(request, { ...this.services, ...services }, job);
  }

  async backup(options?: SmallBackupOptions): Promise<Version> {
    return await smallBackup(this.access, this.source, options);
  }

  async restore(
    version: { versionId: string },
    part: Partial<RestoreRequest> = {},
    services: Partial<BackupServices> = {},
    signal = new AbortController().signal,
  ): Promise<RestoreResult> {
    const request: RestoreRequest = {
      repository: this.location,
      versionId: version.versionId,
      restorePath: this.target,
      paths: [],
      overwrite: true,
      deleteExtra: false,
      dryRun: false,
      verify: false,
      ...part,
    };
    const job = {
      sessionId: `run${++this.#runs}`,
      signal,
      progress: (update: ProgressUpdate) => void this.progress.push(update),
    };
    return await restoreBackup(request, { ...this.services, ...services }, job);
  }

  /** Writes a file below the world's directory, and the directories on the way. */
  write(path: string, content: string | Uint8Array): void {
    const full = `${this.path}/${path}`;
    fs.mkdirSync(full.slice(0, full.lastIndexOf("/")), { recursive: true });
    fs.writeFileSync(full, content);
  }

  /** Every path below a directory, with a file's text or a link's target. */
  list(root = this.target): Record<string, string> {
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

  [Symbol.dispose](): void {
    forgetMemoryStore(this.path);
    Deno.removeSync(this.path, { recursive: true });
  }
}
