import { dirname, join } from "node:path";
import { EngineError } from "../errors.ts";
import * as C from "../posix/constants.ts";
import { close, type Descriptor, openAt } from "../posix/calls.ts";
import { hasCode, lastError } from "../posix/error.ts";
import { libc } from "../posix/libc.ts";

const LOCK_EX = 2;
const LOCK_NB = 4;

/** A data directory that this process owns until it closes the claim or ends, in whatever way. */
export interface DirectoryClaim {
  readonly databasePath: string;
  /** Frees the directory. Idempotent. */
  release(): void;
}

/**
 * Creates the directory where it is missing (mode 0700), claims it for this process and makes sure that the database's file
 * exists and is closed to other users.
 *
 * The claim is an `flock` on the file `lock`: the kernel drops it with the process, so nothing stale is ever left.
 * @throws EngineError with a message of one line
 */
export async function claimDirectory(dataDir: string): Promise<DirectoryClaim> {
  await create(dataDir);
  const lock = openPrivate(dataDir, "lock");
  try {
    takeLock(lock, dataDir);
    close(openPrivate(dataDir, "state.db"));
  } catch (error) {
    close(lock);
    throw error;
  }
  let isHeld = true;
  return {
    databasePath: join(dataDir, "state.db"),
    release() {
      if (isHeld) close(lock);
      isHeld = false;
    },
  };
}

function unusable(dataDir: string, reason: string, cause?: unknown): EngineError {
  return new EngineError(
    "unavailable",
    `Cannot use the data directory ${dataDir}: ${reason}`,
    "Choose a directory that the server's user may create files in",
    { cause },
  );
}

async function create(dataDir: string): Promise<void> {
  try {
    const first = await firstMissing(dataDir);
    await Deno.mkdir(dataDir, { recursive: true, mode: 0o700 });
    // A new directory survives a power cut only once its name is on disk too.
    if (first !== undefined) {
      for (let path = dataDir; path.length >= first.length; path = dirname(path)) await syncDirectory(dirname(path));
    }
  } catch (error) {
    throw unusable(dataDir, reasonOf(error), error);
  }
}

async function firstMissing(path: string): Promise<string | undefined> {
  let missing: string | undefined;
  for (let at = path; !(await exists(at)) && dirname(at) !== at; at = dirname(at)) missing = at;
  return missing;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function syncDirectory(path: string): Promise<void> {
  using directory = await Deno.open(path);
  await directory.sync();
}

/** Opens for reading and writing, creating it with mode 0600. Follows no link: the file is the directory's own. */
function openPrivate(dataDir: string, name: string): Descriptor {
  try {
    return openAt(C.AT_FDCWD, join(dataDir, name), C.O_RDWR | C.O_CREAT | C.O_NOFOLLOW | C.O_CLOEXEC, 0o600);
  } catch (error) {
    throw unusable(dataDir, `cannot write its file ${name}: ${reasonOf(error)}`, error);
  }
}

function takeLock(lock: Descriptor, dataDir: string): void {
  if (libc.flock(lock, LOCK_EX | LOCK_NB) === 0) return;
  const error = lastError("flock");
  if (!hasCode(error, "EAGAIN")) throw unusable(dataDir, `cannot lock it: ${error.message}`, error);
  throw new EngineError(
    "unavailable",
    `Cannot use the data directory ${dataDir}: it is in use by another running server`,
    "Stop the other server, or choose another data directory",
    { cause: error },
  );
}

/** Deno's messages end in the call and the path, which ours begin with. */
function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.AlreadyExists) return "a file is in its place";
  return error instanceof Error
    ? error.message.replace(/ \(os error \d+\).*$/s, "").replace(/: .*'$/s, "")
    : String(error);
}
