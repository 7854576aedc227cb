/** The file synchronisation as tests call it. */
import assert from "node:assert/strict";
import { type Answer, type Json, type RequestOptions, type Server } from "./server.ts";

export interface Pair {
  source: string;
  target: string;
}

let pairs = 0;

/** Two fresh directories under the server's root. */
export async function makePair(server: Server): Promise<Pair> {
  const base = `${server.root}/pair-${++pairs}`;
  const pair = { source: `${base}/source`, target: `${base}/target` };
  await Deno.mkdir(pair.source, { recursive: true });
  await Deno.mkdir(pair.target, { recursive: true });
  return pair;
}

/** `POST /sync/files` of a pair, whatever its answer. */
export function postSync(server: Server, pair: Pair, fields: Json = {}, options?: RequestOptions): Promise<Answer> {
  const body = { sourceDirectory: pair.source, targetDirectory: pair.target, ...fields };
  return server.request("POST", "/sync/files", body, options);
}

/** `POST /sync/files` that must end with 200 and full success; returns the answer's body. */
export async function sync(server: Server, pair: Pair, fields: Json = {}): Promise<Json> {
  const answer = await postSync(server, pair, fields);
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual([answer.body.success, answer.body.errors], [true, []], answer.text);
  return answer.body;
}

/** `POST /sync/files` that must end with 200 but `success: false`; returns the answer's body. */
export async function syncPartly(server: Server, pair: Pair, fields: Json = {}): Promise<Json> {
  const answer = await postSync(server, pair, fields);
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.body.success, false, answer.text);
  assert.ok(answer.body.errors.length > 0, answer.text);
  return answer.body;
}

/** That one of the answer's errors begins with this relative path. */
export function assertNames(body: Json, path: string): void {
  const named = body.errors.some((error: string) => error.startsWith(`${path}: `));
  assert.ok(named, `No error names ${path}: ${JSON.stringify(body.errors)}`);
}

/** That an answer is an error of the contract's shape, with this status and code. */
export function assertError(answer: Answer, status: number, errorCode: string): Json {
  assert.deepEqual([answer.status, answer.body?.errorCode], [status, errorCode], answer.text.slice(0, 2_000));
  const { message, details, timestamp } = answer.body;
  assert.ok(typeof message === "string" && message.length > 0, answer.text);
  assert.equal(typeof details, "string", answer.text);
  assert.match(timestamp, TIMESTAMP);
  assert.doesNotMatch(answer.text, /\bat [^"]*\.ts:\d+|node_modules/, "an error shows where it comes from in the code");
  assert.match(answer.headers.get("content-type") ?? "", /^application\/json\b/);
  return answer.body;
}

/** UTC in ISO 8601. */
export const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/;
