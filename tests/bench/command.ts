export interface RunOptions {
  /** Ends the process with SIGTERM. */
  signal?: AbortSignal;
  /** Return what it printed; otherwise that goes nowhere. */
  capture?: boolean;
  /** Exit codes that are no failure. Default: 0 only. */
  accept?: readonly number[];
  cwd?: string;
  /** Besides the bench's own. */
  env?: Record<string, string>;
}

export interface RunResult {
  code: number;
  /** From the start of the process to its end. */
  milliseconds: number;
  stdout: string;
}

/** Runs a program to its end. Throws with the last of its stderr where it failed, and the signal's reason on an abort. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { signal, capture = false, accept = [0], cwd, env } = options;
  signal?.throwIfAborted();
  const [program, ...args] = argv;
  const command = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: capture ? "piped" : "null",
    stderr: "piped",
    signal,
    cwd,
    env: { LC_ALL: "C.UTF-8", ...env },
  });
  const start = performance.now();
  const output = await command.output();
  const milliseconds = performance.now() - start;
  signal?.throwIfAborted();
  if (!accept.includes(output.code)) {
    const tail = new TextDecoder().decode(output.stderr).trim().slice(-2000);
    throw new Error(`${program} ended with ${output.signal ?? output.code}: ${tail}`);
  }
  return { code: output.code, milliseconds, stdout: capture ? new TextDecoder().decode(output.stdout) : "" };
}
