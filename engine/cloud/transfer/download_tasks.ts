/** The steps of a download, as tasks of the pool: begin, some parts at a time, complete. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import * as posix from "../../posix/mod.ts";
import { combineCrc32 } from "../crc32.ts";
import { inLanes } from "../in_lanes.ts";
import { type CloudLocation, StoreError } from "../object_store.ts";
import { openCloudStore } from "../open_store.ts";
import { PART } from "../part_size.ts";
import { localError } from "./local_error.ts";
import { LocalTarget } from "./local_target.ts";
import { BYTES, CHECKSUM } from "./upload_tasks.ts";
import type { TaskContext } from "../../../workers/types.ts";

const AT_ONCE = 3;
const PIECE = 1 << 20;

export interface DownloadSource {
  location: CloudLocation;
  key: string;
  /** Where it goes; resolved. */
  path: string;
}

export interface DownloadPlan {
  size: number;
  etag: string;
  /** Undefined where the object was not stored by this program. */
  crc: number | undefined;
  /** What the store knows of one that has no sum of ours. */
  md5?: string | undefined;
  partSize: number;
  /** The name that the file has until it is whole. */
  temporary: string;
}

export interface ArrivedPart {
  index: number;
  crc: number;
}

export interface BeginDownloadInput extends DownloadSource {
  former?: { plan: DownloadPlan; parts: ArrivedPart[] };
}

/** @returns with a former plan that still holds, the parts of it that are there. @throws EngineError, StoreError */
export async function beginDownload(
  { location, key, path, former }: BeginDownloadInput,
  context: TaskContext,
): Promise<{ plan: DownloadPlan; parts: ArrivedPart[] }> {
  const found = await openCloudStore(location).details(key, { signal: context.signal });
  using target = new LocalTarget(path);
  target.refuseOther();
  if (former !== undefined) {
    if (former.plan.etag === found.etag && former.plan.size === found.size) {
      const file = target.open(former.plan.temporary, found.size);
      if (file !== undefined) return { plan: former.plan, parts: stillThere(file, former.plan, former.parts, context) };
    }
    target.discard(former.plan.temporary);
  }
  const sum = found.metadata[CHECKSUM];
  const crc = /^[0-9a-f]{8}$/.test(sum ?? "") ? parseInt(sum, 16) : undefined;
  const { name, file } = target.create(found.size);
  posix.close(file);
  const { size, etag, md5 } = found;
  return {
    plan: { size, etag, crc, md5: crc === undefined ? md5 : undefined, partSize: PART, temporary: name },
    parts: [],
  };
}

/** A power cut may have taken what a process wrote. */
function stillThere(
  file: posix.Descriptor,
  plan: DownloadPlan,
  parts: ArrivedPart[],
  context: TaskContext,
): ArrivedPart[] {
  const buffer = new Uint8Array(plan.partSize);
  try {
    return parts.filter(({ index, crc }) => {
      context.checkpoint();
      const piece = buffer.subarray(0, lengthOf(plan, index));
      return posix.readInto(file, piece, index * plan.partSize) === piece.length && crc32(piece) === crc;
    });
  } finally {
    posix.close(file);
  }
}

export interface DownloadPartsInput extends DownloadSource {
  plan: DownloadPlan;
  /** Indices from 0. */
  parts: number[];
}

/** @throws EngineError, StoreError */
export async function downloadParts(
  { location, key, path, plan, parts }: DownloadPartsInput,
  context: TaskContext,
): Promise<ArrivedPart[]> {
  const store = openCloudStore(location);
  using target = new LocalTarget(path);
  const file = target.open(plan.temporary, plan.size);
  if (file === undefined) throw lost(path);
  const arrived: ArrivedPart[] = [];
  try {
    await inLanes(AT_ONCE, parts.length, context.signal, async (number, signal) => {
      context.checkpoint();
      const index = parts[number];
      const range = { offset: index * plan.partSize, length: lengthOf(plan, index) };
      let [at, crc] = [range.offset, 0];
      await store.readTo(key, { ...range, etag: plan.etag, signal }, (piece) => {
        posix.writeFrom(file, piece, at);
        at += piece.length;
        crc = crc32(piece, crc);
        Atomics.add(context.counters, BYTES, BigInt(piece.length));
      });
      arrived.push({ index, crc });
    });
  } catch (error) {
    throw localError(error, path);
  } finally {
    posix.close(file);
  }
  return arrived;
}

/** @throws StoreError `damaged` where it is not what was stored; EngineError */
export async function completeDownload(
  { key, path, plan, parts }: DownloadSource & { plan: DownloadPlan; parts: ArrivedPart[] },
  context: TaskContext,
): Promise<void> {
  context.checkpoint();
  const crc = parts.toSorted((a, b) => a.index - b.index)
    .reduce((sum, part) => combineCrc32(sum, part.crc, lengthOf(plan, part.index)), 0);
  const damaged = () => new StoreError("damaged", `${key} did not arrive as it was stored: its checksum differs`);
  if (plan.crc !== undefined && plan.crc !== crc) throw damaged();
  using target = new LocalTarget(path);
  target.refuseOther();
  const file = target.open(plan.temporary, plan.size);
  if (file === undefined) throw lost(path);
  try {
    if (plan.md5 !== undefined && plan.md5 !== md5Of(file, plan.size, context)) throw damaged();
    await target.place(plan.temporary, file);
  } finally {
    posix.close(file);
  }
}

function md5Of(file: posix.Descriptor, size: number, context: TaskContext): string {
  const hash = createHash("md5");
  const buffer = new Uint8Array(PIECE);
  for (let at = 0; at < size; at += PIECE) {
    context.checkpoint();
    const piece = buffer.subarray(0, Math.min(PIECE, size - at));
    hash.update(piece.subarray(0, posix.readInto(file, piece, at)));
  }
  return hash.digest("hex");
}

/** Removes what is on its way. @throws EngineError */
export function discardDownload({ path, temporary }: { path: string; temporary: string }): void {
  using target = new LocalTarget(path, { make: false });
  target.discard(temporary);
}

function lengthOf({ size, partSize }: DownloadPlan, index: number): number {
  return Math.min(partSize, size - index * partSize);
}

function lost(path: string): StoreError {
  return new StoreError("damaged", `What was downloaded of ${path} was removed or changed meanwhile`);
}
