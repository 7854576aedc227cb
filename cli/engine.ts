/** The engine as commands use it: without a server, with workers of its own and a data directory that goes with the command. */
import { type Config, ConfigError, readConfig } from "../api/config.ts";
import { CloudPlaces } from "../api/cloud_places.ts";
import { logPoolEvent } from "../api/log_pool_event.ts";
import { createLogger } from "../api/logging.ts";
import { PathGuard } from "../api/paths.ts";
import { resolveRepository } from "../api/repository_location.ts";
import { type BackupOperations, backupOperations } from "../engine/backup/mod.ts";
import type { StoreLocation } from "../engine/cloud/object_store.ts";
import { type DatabaseOperations, databaseOperations, DiffStore, TableLocks } from "../engine/database/mod.ts";
import { CancelledError } from "../engine/errors.ts";
import { type FileServices, PathLocks, prepareDataDirectory } from "../engine/files/mod.ts";
import type { JobContext } from "../engine/jobs/mod.ts";
import { createPool } from "../workers/pool.ts";
import { createDatabasePool } from "./database_pool.ts";
import { UsageError } from "./exit_code.ts";
import type { Output } from "./output.ts";

export interface CommandEngine extends AsyncDisposable {
  readonly backups: BackupOperations;
  readonly databases: DatabaseOperations;
  readonly files: FileServices;
  readonly job: JobContext;
  /** Of the repository; undefined where none is set. */
  readonly password: string | undefined;
  /** An absolute path with its links resolved, of one that may be relative. */
  path(name: string, path: string): Promise<string>;
  repository(path: string): Promise<StoreLocation>;
}

/** Signals cancel the job: the first lets it come to a safe point, the second ends the process. */
export async function startEngine(output: Output, passwordFile: string | undefined): Promise<CommandEngine> {
  const config = configuration();
  const password = passwordFile === undefined ? config.repositoryPassword : await readPassword(passwordFile);
  const dataDir = await Deno.realPath(await Deno.makeTempDir({ prefix: "syncline-command-" }));
  await prepareDataDirectory(dataDir);
  const logger = createLogger({ level: "warn", sink: Deno.stderr });
  const pool = createPool({ size: config.workers, onEvent: (event) => logPoolEvent(logger, event) });
  const databasePool = createDatabasePool(1, logger);
  const files = { pool, dataDir, locks: new PathLocks() };
  const paths = await PathGuard.open(["/"], dataDir);
  const clouds = new CloudPlaces(config.cloud, `${dataDir}/cloud`);
  const { signal, release } = interruptible();
  const path = (name: string, path: string) => paths.resolve(name, absolute(path));
  return {
    backups: backupOperations({ ...files, password, host: Deno.hostname() }),
    databases: databaseOperations({ databasePool, dataDir, locks: new TableLocks(), diffs: new DiffStore() }),
    files,
    job: { sessionId: `command-${crypto.randomUUID()}`, signal, progress: (update) => output.progress(update) },
    password,
    path,
    repository: (place) => resolveRepository(/^\w+:\/\//.test(place) ? place : absolute(place), { clouds, paths }),
    async [Symbol.asyncDispose]() {
      release();
      await Promise.all([pool.close(), databasePool.close()]);
      await logger.flush();
      await Deno.remove(dataDir, { recursive: true });
    },
  };
}

function configuration(): Config {
  try {
    return readConfig(Deno.env.toObject(), Deno.cwd());
  } catch (error) {
    throw error instanceof ConfigError ? new UsageError(error.message) : error;
  }
}

/** A password's file, whose last line break is none of the password. */
export async function readPassword(file: string): Promise<string> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    throw new UsageError(`Cannot read the password file ${file}: ${error instanceof Error ? error.message : error}`);
  }
  const password = text.replace(/\r?\n$/, "");
  if (password === "" || /[\r\n]/.test(password)) {
    throw new UsageError(`The password file ${file} must hold one line, the password`);
  }
  return password;
}

function absolute(path: string): string {
  return path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
}

function interruptible(): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) Deno.exit(1);
    controller.abort(new CancelledError("Interrupted"));
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, interrupt);
  return {
    signal: controller.signal,
    release() {
      for (const signal of signals) Deno.removeSignalListener(signal, interrupt);
    },
  };
}
