/** The steps of an upload, as tasks of the pool: begin, some parts at a time, complete. */
import { crc32 } from "node:zlib";
import { isDeepStrictEqual } from "node:util";
import { type ByteSource, sourceBody } from "../body.ts";
import { combineCrc32 } from "../crc32.ts";
import { inLanes } from "../in_lanes.ts";
import { type CloudLocation, StoreError } from "../object_store.ts";
import { openCloudStore } from "../open_store.ts";
import { PART, partSize } from "../part_size.ts";
import type { Attributes, ObjectDetails, Upload } from "../remote_driver.ts";
import { RemoteStore } from "../remote_store.ts";
import { changedFile, type FileStamp, LocalFile, sameStamp } from "./local_file.ts";
import type { TaskContext } from "../../../workers/types.ts";

/** The name of our own metadata: CRC-32 of the whole object, in hexadecimal. */
export const CHECKSUM = "syncline-crc32";
/** Index of the job's counter of transferred bytes. */
export const BYTES = 0;
/** Parts on their way at once, of each task: each is held in memory, and as many tasks run as there are workers. */
const AT_ONCE = 2;
const PIECE = 1 << 20;
/** How far the store's clock may be from ours, in ms; services refuse requests beyond it. */
const SKEW_MS = 900_000;
/** This thread's memory for parts, used again: what is garbage is freed late. */
const buffers: Uint8Array<ArrayBuffer>[] = [];

export interface UploadPlan {
  upload: Upload;
  stamp: FileStamp;
  partSize: number;
  crc: number;
  /** With the checksum. */
  attributes: Attributes;
}

export interface UploadTarget {
  location: CloudLocation;
  key: string;
  /** Of the local file; resolved. */
  path: string;
  attributes: Attributes;
}

export interface Stored {
  size: number;
  etag: string;
}

export type BeginUploadOutput = { stored: Stored } | { plan: UploadPlan; isResumed: boolean };

/**
 * Sends a short file at once, and begins a long one, or finds that a former beginning still holds.
 * @throws EngineError, StoreError
 */
export async function beginUpload(
  { former, ...target }: UploadTarget & { former?: UploadPlan },
  context: TaskContext,
): Promise<BeginUploadOutput> {
  const { location, key, path } = target;
  const store = openCloudStore(location);
  using file = new LocalFile(path);
  const stamp = file.stamp();
  if (former !== undefined && store instanceof RemoteStore) {
    const isSame = isDeepStrictEqual(former.attributes, withChecksum(target.attributes, former.crc));
    if (isSame && sameStamp(former.stamp, stamp)) return { plan: former, isResumed: true };
    await store.abortUpload(former.upload);
  }
  const crc = await sum(file, context);
  const attributes = withChecksum(target.attributes, crc);
  if (store instanceof RemoteStore && file.size > PART) {
    const upload = await store.beginUpload(key, attributes, context.signal);
    const size = partSize(file.size, store.driver.mostParts);
    return { plan: { upload, stamp, partSize: size, crc, attributes }, isResumed: false };
  }
  const source = sameSource(file, stamp, crc, context);
  const etag = await store.putSource(key, source, { ...attributes, signal: context.signal });
  Atomics.add(context.counters, BYTES, BigInt(file.size));
  return { stored: await checkStored(store, key, { size: file.size, etag }, context.signal) };
}

/** The file's bytes, read once in their order; the last of them are there only where all are those that were summed. */
function sameSource(file: LocalFile, stamp: FileStamp, crc: number, context: TaskContext): ByteSource {
  let read = 0;
  return {
    size: file.size,
    async read(into, offset) {
      context.checkpoint();
      await file.read(into, offset);
      read = crc32(into, read);
      if (offset + into.length < file.size) return;
      file.refuseChanged(stamp);
      if (read !== crc) throw changedFile(file.path);
    },
  };
}

export interface UploadPartsInput {
  location: CloudLocation;
  path: string;
  plan: UploadPlan;
  /** Indices from 0. */
  parts: number[];
}

export interface SentPart {
  index: number;
  tag: string;
  crc: number;
}

/** @throws EngineError, StoreError */
export async function uploadParts(
  { location, path, plan, parts }: UploadPartsInput,
  context: TaskContext,
): Promise<SentPart[]> {
  const store = remote(location);
  using file = new LocalFile(path);
  file.refuseChanged(plan.stamp);
  const sent: SentPart[] = [];
  await inLanes(AT_ONCE, parts.length, context.signal, async (at, signal) => {
    context.checkpoint();
    const index = parts[at];
    const offset = index * plan.partSize;
    const size = Math.min(plan.partSize, file.size - offset);
    const memory = buffers.pop() ?? new Uint8Array(PART);
    const body = await sourceBody(file, offset, size, memory);
    const crc = body.bytes === undefined ? await sum(file, context, offset, size) : crc32(body.bytes);
    const tag = await store.putPart(plan.upload, index + 1, body, signal);
    // Not where it failed: a request that was given up may still read from it.
    buffers.push(memory);
    sent.push({ index, tag, crc });
    Atomics.add(context.counters, BYTES, BigInt(size));
  });
  file.refuseChanged(plan.stamp);
  return sent;
}

/** @throws EngineError `conflict` where the file changed; StoreError */
export async function completeUpload(
  { target, plan, parts }: { target: UploadTarget; plan: UploadPlan; parts: SentPart[] },
  context: TaskContext,
): Promise<Stored> {
  const store = remote(target.location);
  const { size } = plan.stamp;
  const sorted = parts.toSorted((a, b) => a.index - b.index);
  const crc = sorted.reduce((sum, part) => {
    return combineCrc32(sum, part.crc, Math.min(plan.partSize, size - part.index * plan.partSize));
  }, 0);
  if (crc !== plan.crc) throw changedFile(target.path);
  const options = { ...plan.attributes, signal: context.signal };
  const etag = await store.completeUpload(plan.upload, sorted.map(({ tag }) => tag), options);
  return await checkStored(store, target.key, { size, etag }, context.signal);
}

/** Gives up an upload in parts. @throws StoreError */
export async function abortUpload({ location, upload }: { location: CloudLocation; upload: Upload }): Promise<void> {
  await remote(location).abortUpload(upload);
}

/** As {@link abortUpload}, of one whose name never came to be known: it was begun about then. @throws StoreError */
export async function abortBegun(
  { location, key, begunAt }: { location: CloudLocation; key: string; begunAt: number },
): Promise<void> {
  const store = openCloudStore(location);
  if (!(store instanceof RemoteStore)) return;
  await store.abortBegun(key, new Date(begunAt - SKEW_MS), new Date(begunAt + SKEW_MS));
}

function remote(location: CloudLocation): RemoteStore {
  const store = openCloudStore(location);
  if (!(store instanceof RemoteStore)) throw new Error(`${store.description} takes no parts`);
  return store;
}

function withChecksum(attributes: Attributes, crc: number): Attributes {
  return { ...attributes, metadata: { ...attributes.metadata, [CHECKSUM]: crc.toString(16).padStart(8, "0") } };
}

/** Whoever has stored or deleted the object since takes nothing from our success. */
async function checkStored(
  store: ReturnType<typeof openCloudStore>,
  key: string,
  stored: Stored,
  signal: AbortSignal,
): Promise<Stored> {
  const found = await detailsIfPresent(store, key, signal);
  if (found?.etag !== stored.etag || found.size === stored.size) return stored;
  throw new StoreError(
    "damaged",
    `${key} has ${found.size} bytes in ${store.description}, not the ${stored.size} that were sent`,
  );
}

async function detailsIfPresent(
  store: ReturnType<typeof openCloudStore>,
  key: string,
  signal: AbortSignal,
): Promise<ObjectDetails | undefined> {
  try {
    return await store.details(key, { signal });
  } catch (error) {
    if (error instanceof StoreError && error.kind === "not-found") return undefined;
    throw error;
  }
}

async function sum(file: LocalFile, context: TaskContext, start = 0, size = file.size): Promise<number> {
  const buffer = new Uint8Array(PIECE);
  let crc = 0;
  for (let at = 0; at < size; at += PIECE) {
    context.checkpoint();
    const piece = buffer.subarray(0, Math.min(PIECE, size - at));
    await file.read(piece, start + at);
    crc = crc32(piece, crc);
  }
  return crc;
}
