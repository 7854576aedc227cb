/** The backup API as tests call it. */
import assert from "node:assert/strict";
import type { Answer, Json, RequestOptions, Server } from "./server.ts";
import { snapshot } from "./compare.ts";

export interface BackupPlaces {
  source: string;
  /** The repository; not there yet. */
  backupPath: string;
  /** Where to restore to; not there yet. */
  restorePath: string;
}

let places = 0;

/** A fresh source directory under the server's root, with places for a repository and for what is restored. */
export async function makeBackupPlaces(server: Server): Promise<BackupPlaces> {
  const base = `${server.root}/backup-${++places}`;
  await Deno.mkdir(`${base}/source`, { recursive: true });
  return { source: `${base}/source`, backupPath: `${base}/repository`, restorePath: `${base}/restored` };
}

/** `POST /backup/create`, whatever its answer. */
export function postCreate(server: Server, at: BackupPlaces, fields: Json = {}, options?: RequestOptions) {
  const body = { sourceDirectory: at.source, backupPath: at.backupPath, ...fields };
  return server.request("POST", "/backup/create", body, options);
}

/** `POST /backup/create` that must fully succeed; returns the answer's body. */
export async function createBackup(server: Server, at: BackupPlaces, fields: Json = {}): Promise<Json> {
  const body = ok(await postCreate(server, at, fields));
  assert.deepEqual([body.success, body.errors], [true, []]);
  return body;
}

/** `GET /backup/versions`, newest first. */
export async function versions(server: Server, backupPath: string): Promise<Json[]> {
  const body = ok(await server.request("GET", `/backup/versions?${query({ backupPath })}`));
  assert.equal(body.totalCount, body.versions.length);
  return body.versions;
}

/** `POST /backup/restore` that must fully succeed; returns the answer's body. */
export async function restore(server: Server, at: BackupPlaces, versionId: string, fields: Json = {}): Promise<Json> {
  const { backupPath, restorePath } = at;
  const request = { backupPath, versionId, restorePath, ...fields };
  const body = ok(await server.request("POST", "/backup/restore", request));
  assert.deepEqual([body.success, body.errors], [true, []]);
  return body;
}

/** `POST /backup/check` that must find nothing; returns the answer's body. */
export async function assertSound(server: Server, backupPath: string, fields: Json = {}): Promise<Json> {
  const body = ok(await server.request("POST", "/backup/check", { backupPath, readData: true, ...fields }));
  assert.deepEqual([body.success, body.problems], [true, []]);
  return body;
}

/** The body of a 200. */
export function ok({ status, text, body }: Answer): Json {
  assert.equal(status, 200, text.slice(0, 2_000));
  return body;
}

export function query(parameters: Record<string, string>): string {
  return new URLSearchParams(parameters).toString();
}

/** A tree that can be compared with a later one, after its directory has changed. */
export const remember = snapshot;
