import { AT_FDCWD, close, hasCode, O_RDONLY, openAt, readInto, readLinkAt } from "../../posix/mod.ts";

/** What makes a process itself among all that ever ran on a host. A process id alone is given again and again. */
export interface ProcessIdentity {
  pid: number;
  /** Clock ticks between the boot and the process's start. */
  startTime: string;
  bootId: string;
  /** The namespace in which the process id means something: a container has its own. */
  namespace: string;
}

/** This process. */
export function ownIdentity(): ProcessIdentity {
  const { pid } = Deno;
  const startTime = startTimeOf(pid);
  if (startTime === undefined) throw new Error(`Cannot find this process (${pid}) under /proc`);
  return { pid, startTime, bootId: readText("/proc/sys/kernel/random/boot_id").trim(), namespace: namespace() };
}

/** Whether a process still runs; undefined where this process cannot see it. */
export function isRunning(other: ProcessIdentity, own: ProcessIdentity): boolean | undefined {
  if (other.bootId !== own.bootId || other.namespace !== own.namespace) return undefined;
  return startTimeOf(other.pid) === other.startTime;
}

function namespace(): string {
  return readLinkAt(AT_FDCWD, "/proc/self/ns/pid");
}

function startTimeOf(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readText(`/proc/${pid}/stat`);
  } catch (error) {
    // ESRCH, number 3: it ended between the opening and the reading.
    if (hasCode(error, "ENOENT", "E3")) return undefined;
    throw error;
  }
  // The second field is the program's name in parentheses, which may itself hold both; the start is the 22nd (proc(5)).
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

/** The kernel's own files have no size. They are read by its calls because Deno gives `/proc` only to who may do everything. */
function readText(path: string): string {
  const file = openAt(AT_FDCWD, path, O_RDONLY);
  try {
    const bytes = new Uint8Array(4096);
    return new TextDecoder().decode(bytes.subarray(0, readInto(file, bytes, 0)));
  } finally {
    close(file);
  }
}
