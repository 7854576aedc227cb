/** The server's process: started as a user starts it, its output in files. */
import { fileURLToPath } from "node:url";
import { poll } from "./poll.ts";
import type { Sandbox } from "./sandbox.ts";

/** The project's directory. */
export const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

export interface ProcessOptions {
  sandbox: Sandbox;
  /** `SYNCLINE_TOKEN`; `null`: the server makes its own. */
  token: string | null;
  env?: Record<string, string>;
  /** A command that runs the server's command, such as `setpriv` with its options. */
  wrapper?: string[];
}

export interface ServerProcess {
  readonly pid: number;
  /** Undefined while it runs. */
  ended(): Deno.CommandStatus | undefined;
  /**
   * Sends the signal, where the process still runs, and waits for its end. One that has not ended after 20 s is killed,
   * and this throws.
   */
  end(signal: Deno.Signal): Promise<Deno.CommandStatus>;
  stdout(): Promise<string>;
  stderr(): Promise<string>;
}

/** Spawns `main.ts` under the permission set of deno.json, without waiting for anything. */
export async function spawnServer({ sandbox, token, env = {}, wrapper = [] }: ProcessOptions): Promise<ServerProcess> {
  const logs = await Deno.makeTempDir({ dir: sandbox.home, prefix: "log-" });
  // A shell redirects to files, so that a full pipe can never hold the server up, and then becomes the server.
  const script = 'out=$1 err=$2; shift 2; exec "$@" >"$out" 2>"$err"';
  const output = [`${logs}/stdout`, `${logs}/stderr`];
  const child = new Deno.Command("sh", {
    args: ["-c", script, "sh", ...output, ...wrapper, Deno.execPath(), "run", "-q", "-P", "main.ts"],
    cwd: PROJECT,
    env: {
      NO_COLOR: "1",
      PORT: "0",
      HOST: "127.0.0.1",
      SYNCLINE_DATA_DIR: sandbox.dataDir,
      SYNCLINE_ROOTS: sandbox.root,
      SYNCLINE_RATE_LIMIT: "1000000",
      SYNCLINE_TOKEN: token ?? "",
      ...env,
    },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let status: Deno.CommandStatus | undefined;
  const exited = child.status.then((ended) => status = ended);
  return {
    pid: child.pid,
    ended: () => status,
    async end(signal) {
      if (status === undefined) child.kill(signal);
      try {
        return await poll("the server's end", () => status, { deadlineMs: 20_000 });
      } catch (error) {
        child.kill("SIGKILL");
        throw error;
      } finally {
        await exited;
      }
    },
    stdout: () => readIfThere(output[0]),
    stderr: () => readIfThere(output[1]),
  };
}

/** A file's text, or nothing where it is not there yet. */
export async function readIfThere(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
