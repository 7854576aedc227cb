/** What the cloud API asks of a store besides transfers, as tasks of the pool. */
import { globMatcher } from "../glob.ts";
import { compareKeys } from "../key.ts";
import { type CloudLocation, type ObjectInfo, StoreError } from "../object_store.ts";
import { openCloudStore } from "../open_store.ts";
import type { ObjectDetails } from "../remote_driver.ts";
import { RemoteStore } from "../remote_store.ts";
import { CHECKSUM, keepAlive } from "./upload_tasks.ts";
import type { TaskContext } from "../../../workers/types.ts";

export interface ListInput {
  location: CloudLocation;
  prefix: string;
  filter: string | undefined;
  /** The key to go on after. */
  after: string | undefined;
  limit: number;
}

export interface Listing {
  objects: ObjectInfo[];
  /** All that match, on this page or not. */
  totalCount: number;
  totalBytes: number;
  hasMore: boolean;
}

/** @throws StoreError */
export async function listObjects(input: ListInput, context: TaskContext): Promise<Listing> {
  const { location, prefix, filter, after, limit } = input;
  const matches = filter === undefined ? () => true : globMatcher(filter);
  const listing: Listing = { objects: [], totalCount: 0, totalBytes: 0, hasMore: false };
  await attended(context, async () => {
    for await (const info of openCloudStore(location).list(prefix, { signal: context.signal })) {
      context.checkpoint();
      if (!matches(info.key)) continue;
      listing.totalCount++;
      listing.totalBytes += info.size;
      if (after !== undefined && compareKeys(info.key, after) <= 0) continue;
      if (listing.objects.length < limit) listing.objects.push(info);
      else listing.hasMore = true;
    }
  });
  return listing;
}

export interface ObjectInput {
  location: CloudLocation;
  key: string;
}

/** Without our own metadata. @throws StoreError */
export async function objectDetails({ location, key }: ObjectInput, context: TaskContext): Promise<ObjectDetails> {
  return await attended(context, async () => {
    const store = openCloudStore(location);
    const details = await existing(store, key, context);
    const { [CHECKSUM]: _, ...metadata } = details.metadata;
    return { ...details, metadata };
  });
}

/** @throws StoreError `not-found` where it is not there */
export async function deleteObject({ location, key }: ObjectInput, context: TaskContext): Promise<{ size: number }> {
  return await attended(context, async () => {
    const store = openCloudStore(location);
    const { size } = await existing(store, key, context);
    await store.delete(key, { signal: context.signal });
    return { size };
  });
}

/** A link to read the object with. @throws StoreError */
export async function linkObject(
  { location, key, seconds }: ObjectInput & { seconds: number },
  context: TaskContext,
): Promise<string> {
  return await attended(context, async () => {
    const store = openCloudStore(location);
    if (!(store instanceof RemoteStore)) throw new Error(`${store.description} signs no links`);
    const { contentType } = await existing(store, key, context);
    return await store.link(key, seconds, contentType);
  });
}

/** What a missing bucket answers to the question for an object does not tell that it is the bucket that is missing. */
async function existing(
  store: ReturnType<typeof openCloudStore>,
  key: string,
  { signal }: TaskContext,
): Promise<ObjectDetails> {
  try {
    return await store.details(key, { signal });
  } catch (error) {
    if (error instanceof StoreError && error.kind === "not-found" && store instanceof RemoteStore) {
      await store.probe(PROBE_MS);
    }
    throw error;
  }
}

const PROBE_MS = 10_000;

async function attended<T>(context: TaskContext, action: () => Promise<T>): Promise<T> {
  const alive = setInterval(() => keepAlive(context), 1000);
  try {
    return await action();
  } finally {
    clearInterval(alive);
  }
}
