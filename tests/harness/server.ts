/** The real server in a process of its own, and a client of it. */
import { poll } from "./poll.ts";
import { makeSandbox, type Sandbox } from "./sandbox.ts";
import { type ProcessOptions, type ServerProcess, spawnServer } from "./server_process.ts";

export interface StartOptions extends Partial<ProcessOptions> {
  /** Where the server lives; made anew, and removed with the server, where it is not given. */
  sandbox?: Sandbox;
  /** Default: a token made for this server. `null`: the server makes its own. */
  token?: string | null;
}

export interface RequestOptions {
  headers?: Record<string, string>;
  /** Default: the server's token; `null` sends no Authorization. */
  token?: string | null;
  /** Sent as it is, in place of a JSON value. */
  rawBody?: BodyInit;
  signal?: AbortSignal;
}

// deno-lint-ignore no-explicit-any -- an answer's shape is what the tests are there to find out
export type Json = any;

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The body parsed as JSON, or undefined where it is none. */
  body: Json;
}

/** Disposing of it stops the server, and throws where that had died by itself. */
export interface Server extends AsyncDisposable, Omit<Sandbox, typeof Symbol.asyncDispose> {
  /** Without a slash at its end. */
  readonly url: string;
  readonly token: string;
  readonly pid: number;
  readonly sandbox: Sandbox;
  /** `path` is under `/api/v1` unless it begins with two slashes: then it is the whole path, with one. */
  request(method: string, path: string, body?: unknown, options?: RequestOptions): Promise<Answer>;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** What it printed so far on stdout. */
  stdout(): Promise<string>;
  /** What it logged so far on stderr. */
  stderr(): Promise<string>;
  /** SIGTERM; throws where the exit code is not 0 or it takes over 20 s. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** Starts the server and waits until it prints its address. */
export async function startServer(options: StartOptions = {}): Promise<Server> {
  const sandbox = options.sandbox ?? await makeSandbox();
  const token = options.token === undefined ? `test-token-${crypto.randomUUID()}` : options.token;
  const child = await spawnServer({ ...options, sandbox, token });
  try {
    const url = await printedAddress(child);
    const dataDir = options.env?.SYNCLINE_DATA_DIR ?? sandbox.dataDir;
    const own = token ?? (await Deno.readTextFile(`${dataDir}/admin-token`)).trim();
    return connect({
      sandbox: { ...sandbox, dataDir },
      ownsSandbox: options.sandbox === undefined,
      child,
      url,
      token: own,
    });
  } catch (error) {
    await child.end("SIGKILL");
    if (options.sandbox === undefined) await sandbox[Symbol.asyncDispose]();
    throw error;
  }
}

async function printedAddress(child: ServerProcess): Promise<string> {
  return await poll("the server's address on stdout", async () => {
    const address = /http:\/\/127\.0\.0\.1:\d+(?=\D)/.exec(await child.stdout())?.[0];
    if (address === undefined && child.ended() !== undefined) {
      throw new Error(`The server ended with ${child.ended()?.code} at its start: ${await child.stderr()}`);
    }
    return address;
  }, { deadlineMs: 60_000 });
}

interface Connection {
  sandbox: Sandbox;
  ownsSandbox: boolean;
  child: ServerProcess;
  url: string;
  token: string;
}

function connect({ sandbox, ownsSandbox, child, url, token: own }: Connection): Server {
  const client = Deno.createHttpClient({ poolMaxIdlePerHost: 128 });
  let asked = false;
  let disposed = false;
  const end = async (signal: Deno.Signal): Promise<Deno.CommandStatus> => {
    if (!asked && child.ended() !== undefined) throw new Error(`The server died by itself: ${await child.stderr()}`);
    asked = true;
    return await child.end(signal);
  };
  const get = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(url + (path.startsWith("//") ? path.slice(1) : `/api/v1${path}`), { ...init, client });
  return {
    ...sandbox,
    sandbox,
    url,
    token: own,
    pid: child.pid,
    fetch: get,
    async request(method, path, body, { headers, token = own, rawBody, signal } = {}) {
      const response = await get(path, {
        method,
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        body: rawBody ?? (body === undefined ? undefined : JSON.stringify(body)),
        signal,
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, body: parseJson(text) };
    },
    stdout: child.stdout,
    stderr: child.stderr,
    async stop() {
      const status = await end("SIGTERM");
      if (status.code !== 0) throw new Error(`Exit code ${status.code} after SIGTERM: ${await child.stderr()}`);
    },
    async kill() {
      await end("SIGKILL");
    },
    async [Symbol.asyncDispose]() {
      if (disposed) return;
      disposed = true;
      try {
        await end("SIGTERM");
      } finally {
        client.close();
        if (ownsSandbox) await sandbox[Symbol.asyncDispose]();
      }
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Kills a server so many milliseconds after a request to it was begun, whatever becomes of that. */
export async function killDuring(server: Server, running: Promise<unknown>, afterMs: number): Promise<void> {
  const over = running.catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  await server.kill();
  await over;
}
