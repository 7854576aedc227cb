/** What the cloud API asks of a store besides transfers, as tasks of the pool. */
import { globMatcher } from "../glob.ts";
import { compareKeys } from "../key.ts";
import type { CloudLocation, ObjectInfo } from "../object_store.ts";
import { openCloudStore } from "../open_store.ts";
import type { ObjectDetails } from "../remote_driver.ts";
import { RemoteStore } from "../remote_store.ts";
import { CHECKSUM } from "./upload_tasks.ts";
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
  for await (const info of openCloudStore(location).list(prefix, { signal: context.signal })) {
    context.checkpoint();
    if (!matches(info.key)) continue;
    listing.totalCount++;
    listing.totalBytes += info.size;
    if (after !== undefined && compareKeys(info.key, after) <= 0) continue;
    if (listing.objects.length < limit) listing.objects.push(info);
    else listing.hasMore = true;
  }
  return listing;
}

export interface ObjectInput {
  location: CloudLocation;
  key: string;
}

/** Without our own metadata. @throws StoreError */
export async function objectDetails({ location, key }: ObjectInput, context: TaskContext): Promise<ObjectDetails> {
  const store = openCloudStore(location);
  const details = await store.details(key, { signal: context.signal });
  const { [CHECKSUM]: _, ...metadata } = details.metadata;
  return { ...details, metadata };
}

/** @throws StoreError `not-found` where it is not there */
export async function deleteObject({ location, key }: ObjectInput, context: TaskContext): Promise<{ size: number }> {
  const store = openCloudStore(location);
  const { size } = await store.details(key, { signal: context.signal });
  await store.delete(key, { signal: context.signal });
  return { size };
}

/** A link to read the object with. @throws StoreError */
export async function linkObject(
  { location, key, seconds }: ObjectInput & { seconds: number },
  context: TaskContext,
): Promise<string> {
  const store = openCloudStore(location);
  if (!(store instanceof RemoteStore)) throw new Error(`${store.description} signs no links`);
  const { contentType } = await store.details(key, { signal: context.signal });
  return await store.link(key, seconds, contentType);
}
