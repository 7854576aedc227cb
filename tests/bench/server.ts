import { fileURLToPath } from "node:url";
import { LineProcess } from "./line_process.ts";
import type { Endpoint } from "./requests.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BASE = "/api/v1";

export interface ServerOptions {
  dataDir: string;
  roots: string[];
  logFile: string;
  signal: AbortSignal;
  env?: Record<string, string>;
}

interface Question {
  method: "GET" | "POST";
  headers: Record<string, string>;
  body?: string;
}

/** The server as a user starts it: its own process, permission set and log, default settings but for the rate limit. */
export class Server implements AsyncDisposable {
  readonly #process: LineProcess;
  readonly #options: ServerOptions;
  readonly #token: string;
  readonly #port: number;
  #stopped: Promise<number> | undefined;

  private constructor(process: LineProcess, options: ServerOptions, token: string, port: number) {
    this.#process = process;
    this.#options = options;
    this.#token = token;
    this.#port = port;
  }

  static async start(options: ServerOptions): Promise<Server> {
    const token = crypto.randomUUID() + crypto.randomUUID();
    const process = new LineProcess("The server", {
      args: ["run", "-q", "-P", "main.ts"],
      cwd: ROOT,
      stderrFile: options.logFile,
      env: {
        PORT: "0",
        HOST: "127.0.0.1",
        SYNCLINE_DATA_DIR: options.dataDir,
        SYNCLINE_ROOTS: options.roots.join(","),
        SYNCLINE_TOKEN: token,
        SYNCLINE_RATE_LIMIT: "1000000000",
        ...options.env,
      },
    });
    try {
      const server = new Server(process, options, token, await announcedPort(process));
      process.drain();
      return server;
    } catch (error) {
      await process.stop();
      throw await withLog(error, options.logFile);
    }
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** `GET /health`, with what it takes to ask it. */
  get health(): Endpoint {
    return { pid: this.pid, port: this.#port, path: `${BASE}/health`, token: this.#token };
  }

  /** Throws on any answer but a 2xx, with the body's words. */
  post<T>(path: string, body: unknown): Promise<T> {
    return this.#ask(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  }

  /** As {@link post}. */
  get<T>(path: string): Promise<T> {
    return this.#ask(path, { method: "GET", headers: {} });
  }

  async #ask<T>(path: string, { method, headers, body }: Question): Promise<T> {
    let response: Response;
    try {
      response = await fetch(`http://127.0.0.1:${this.#port}${BASE}${path}`, {
        method,
        headers: { ...headers, authorization: `Bearer ${this.#token}` },
        body,
        signal: this.#options.signal,
      });
    } catch (error) {
      this.#options.signal.throwIfAborted();
      throw await withLog(error, this.#options.logFile);
    }
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text.slice(0, 1000)}`);
    return JSON.parse(text);
  }

  /** Returns its exit code. Idempotent. */
  stop(): Promise<number> {
    return this.#stopped ??= this.#process.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function announcedPort(process: LineProcess): Promise<number> {
  for (;;) {
    const match = /http:\/\/127\.0\.0\.1:(\d+)/.exec(await process.receive());
    if (match !== null) return Number(match[1]);
  }
}

async function withLog(error: unknown, logFile: string): Promise<Error> {
  const log = await Deno.readTextFile(logFile);
  return new Error(`The server failed; its log ends with:\n${log.slice(-2000)}`, { cause: error });
}
