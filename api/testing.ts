/** The app in process for tests: real state and sessions in a directory of its own, and operations of the engine to script. */
import assert from "node:assert/strict";
import type { BackupOperations } from "../engine/backup/operations.ts";
import type { DatabaseOperations } from "../engine/database/mod.ts";
import type { SyncFilesRequest, SyncFilesResult } from "../engine/files/types.ts";
import { type JobContext, Sessions } from "../engine/jobs/mod.ts";
import { Webhooks } from "../engine/jobs/webhooks/mod.ts";
import { Scheduler } from "../engine/jobs/schedules/mod.ts";
import { openState, type Scope, type State } from "../engine/state/mod.ts";
import { type App, createApp } from "./app.ts";
import { HealthProbe } from "./health.ts";
import { createLogger, type Logger } from "./logging.ts";
import { CloudPlaces } from "./cloud_places.ts";
import { LinkSigner } from "../engine/cloud/link_signer.ts";
import { LocalStore } from "../engine/cloud/local_store.ts";
import type { CloudOperations } from "../engine/cloud/transfer/types.ts";
import { PathGuard } from "./paths.ts";
import { PrometheusMetrics } from "./prometheus.ts";

export interface TestApp extends AsyncDisposable {
  readonly app: App;
  readonly state: State;
  readonly sessions: Sessions;
  readonly stopping: AbortController;
  /** The only root, with `source` and `target` in it. */
  readonly root: string;
  readonly dataDir: string;
  /** Of an admin key. */
  readonly token: string;
  /** What the file synchronisation was asked, in order. */
  readonly requests: SyncFilesRequest[];
  /** Sets what the file synchronisation does; by default it answers {@link RESULT}. */
  onSync(work: (request: SyncFilesRequest, job: JobContext) => Promise<SyncFilesResult>): void;
  /** What repositories do; a test sets the operations that it uses. */
  readonly backups: Partial<BackupOperations>;
  /** What object stores do; as {@link backups}. */
  readonly cloud: Partial<CloudOperations>;
  /** What databases do; as {@link backups}. */
  readonly databases: Partial<DatabaseOperations>;
  /** The log's lines, parsed. */
  logged(): Promise<Record<string, unknown>[]>;
  /** `path` is under the base path unless it begins with two slashes; a string body is sent as it is. */
  send(method: string, path: string, options?: SendOptions): Promise<TestAnswer>;
  /** `POST /sync/files` of the two directories. */
  sync(fields?: object, options?: SendOptions): Promise<TestAnswer>;
  makeKey(scopes: Scope[]): Promise<{ id: string; token: string }>;
}

export interface SendOptions {
  body?: unknown;
  headers?: Record<string, string>;
  /** Default: the admin's; null for none. */
  token?: string | null;
  /** The client's address, default 127.0.0.1. */
  address?: string;
}

export interface TestAnswer {
  status: number;
  headers: Headers;
  text: string;
  // deno-lint-ignore no-explicit-any -- an answer's shape is what the tests are there to find out
  body: any;
}

export const RESULT: SyncFilesResult = {
  success: true,
  changesApplied: 42,
  conflictsEncountered: 0,
  errors: [],
  syncedAt: "2024-01-15T10:30:00Z",
  executionTimeMs: 5432,
  conflicts: [],
  dryRun: false,
  statistics: { entriesCompared: 50, created: 42, updated: 0, renamed: 0, deleted: 0, bytesTransferred: 1000 },
};

export async function startTestApp(options: { rateLimit?: number } = {}): Promise<TestApp> {
  const home = await Deno.realPath(await Deno.makeTempDir({ prefix: "syncline-api-" }));
  const [root, dataDir] = [`${home}/root`, `${home}/data`];
  await Deno.mkdir(`${root}/source`, { recursive: true });
  await Deno.mkdir(`${root}/target`);
  const [logger, readLog] = recordingLogger();
  const report = (message: string, error: unknown) => logger.error(message, { error });
  const state = await openState({ dataDir, report });
  const webhooks = new Webhooks({ store: state.webhooks, allow: ["127.0.0.1"], report });
  const sessions = await Sessions.open(state, () => webhooks.wake());
  const { token } = await state.keys.create({ name: "admin", scopes: ["admin"] });
  const health = new HealthProbe({ dataDir, ping: () => state.ping() });
  const stats = { workers: 2, busy: 0, queued: 0, replaced: 0, abandoned: 0, tasksCompleted: 0, tasksFailed: 0 };
  const stopping = new AbortController();
  const requests: SyncFilesRequest[] = [];
  let work = (_request: SyncFilesRequest, _job: JobContext) => Promise.resolve(RESULT);

  const backups: Partial<BackupOperations> = {};
  const cloud: Partial<CloudOperations> = {};
  const databases: Partial<DatabaseOperations> = {};
  const app = createApp({
    state,
    sessions,
    syncFiles: (request, job) => {
      requests.push(request);
      return work(request, job);
    },
    databases: databases as DatabaseOperations,
    mergeFiles: () => Promise.reject(new Error("This app merges nothing")),
    backups: backups as BackupOperations,
    cloud: cloud as CloudOperations,
    clouds: new CloudPlaces({ s3: undefined, azure: undefined }, `${dataDir}/cloud/objects`),
    usage: { changed() {}, refresh: () => Promise.resolve() },
    links: await LinkSigner.open(`${dataDir}/link-key`),
    openLocal: (key, range) => new LocalStore(`${dataDir}/cloud/objects`).get(key, range),
    webhooks,
    scheduler: new Scheduler(state.schedules, report),
    publicUrl: undefined,
    paths: await PathGuard.open([root], dataDir),
    health,
    prometheus: new PrometheusMetrics({
      sessions,
      pool: { stats: () => stats },
      backups: state.backups,
      schedules: state.schedules,
    }),
    logger,
    rateLimit: options.rateLimit ?? 1_000_000,
    stopping: stopping.signal,
  });
  const send: TestApp["send"] = async (method, path, options = {}) => {
    const { body, headers, token: sent = token, address = "127.0.0.1" } = options;
    const init: RequestInit = {
      method,
      headers: {
        ...(sent === null ? {} : { authorization: `Bearer ${sent}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: body === undefined || typeof body === "string" || body instanceof ReadableStream
        ? body
        : JSON.stringify(body),
    };
    const url = path.startsWith("//") ? path.slice(1) : `/api/v1${path}`;
    const remoteAddr: Deno.NetAddr = { transport: "tcp", hostname: address, port: 1 };
    const response = await app.fetch(new Request(`http://localhost${url}`, init), { remoteAddr });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parseIfJson(response, text) };
  };
  return {
    app,
    state,
    sessions,
    stopping,
    root,
    dataDir,
    token,
    requests,
    backups,
    cloud,
    databases,
    onSync: (next) => void (work = next),
    logged: readLog,
    send,
    sync: (fields = {}, options) =>
      send("POST", "/sync/files", {
        ...options,
        body: { sourceDirectory: `${root}/source`, targetDirectory: `${root}/target`, ...fields },
      }),
    makeKey: async (scopes) => {
      const { key, token } = await state.keys.create({ name: "test", scopes });
      return { id: key.id, token };
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await sessions.shutdown(1_000);
      await webhooks.close();
      await state.close();
      health[Symbol.dispose]();
      await logger.flush();
      await Deno.remove(home, { recursive: true });
    },
  };
}

function recordingLogger(): [Logger, () => Promise<Record<string, unknown>[]>] {
  let log = "";
  const sink = {
    write(bytes: Uint8Array) {
      log += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    },
  };
  const logger = createLogger({ level: "debug", sink });
  return [logger, async () => {
    await logger.flush();
    return log.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
  }];
}

function parseIfJson(response: Response, text: string): unknown {
  return response.headers.get("content-type")?.startsWith("application/json") && text !== ""
    ? JSON.parse(text)
    : undefined;
}

/** That an answer is an error of the contract's shape. Returns its details. */
export function assertError(answer: TestAnswer, status: number, errorCode: string): string {
  assert.deepEqual([answer.status, answer.body?.errorCode], [status, errorCode], answer.text.slice(0, 1_000));
  assert.deepEqual(Object.keys(answer.body).sort(), ["details", "errorCode", "message", "timestamp"]);
  assert.match(answer.body.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.ok(answer.headers.get("x-request-id") && answer.headers.get("x-ratelimit-limit"));
  return answer.body.details;
}
