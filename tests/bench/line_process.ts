import { fileURLToPath } from "node:url";

export interface LineProcessOptions {
  args: string[];
  cwd?: string;
  env?: Record<string, string>;
  /** Where its stderr goes; otherwise the bench's own. */
  stderrFile?: string;
}

const STOP_MS = 15_000;

/** A Deno process that is spoken to in lines: ours to its stdin, its own from its stdout. */
export class LineProcess implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #name: string;

  constructor(name: string, options: LineProcessOptions) {
    this.#name = name;
    const { args, stderrFile } = options;
    // The shell only opens the file: with exec, the process keeps its id.
    const redirected = ["-c", 'exec "$@" 2>"$0"', stderrFile ?? "", Deno.execPath(), ...args];
    this.#process = new Deno.Command(stderrFile === undefined ? Deno.execPath() : "sh", {
      args: stderrFile === undefined ? args : redirected,
      cwd: options.cwd,
      env: { ...options.env, NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = readLines(this.#process.stdout);
    this.#input = this.#process.stdin.getWriter();
  }

  /** Starts a script of this folder with all permissions. */
  static script(file: string): LineProcess {
    return new LineProcess(file, { args: ["run", "-q", "-A", fileURLToPath(new URL(file, import.meta.url))] });
  }

  get pid(): number {
    return this.#process.pid;
  }

  async send(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }

  /** The next line. Throws where the process ended instead. */
  async receive(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (!done) return value;
    const { code } = await this.#process.status;
    throw new Error(`${this.#name} ended with ${code} before it answered`);
  }

  /** Reads and drops whatever else it prints, so that it never waits for a full pipe. */
  drain(): void {
    const read = async () => {
      while (!(await this.#lines.next()).done);
    };
    // A broken pipe means that the process has ended, which its status tells.
    read().catch(() => {});
  }

  /** SIGTERM, and SIGKILL after 15 s. Returns its exit code; 137 means that it had to be killed. */
  async stop(): Promise<number> {
    const kill = (signal: Deno.Signal) => {
      try {
        this.#process.kill(signal);
      } catch (error) {
        if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
      }
    };
    kill("SIGTERM");
    const timer = setTimeout(() => kill("SIGKILL"), STOP_MS);
    const { code } = await this.#process.status;
    clearTimeout(timer);
    await this.#input.abort().catch(() => {});
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** The lines of a stream, without their ends. */
export async function* readLines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string, void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  if (rest !== "") yield rest;
}
