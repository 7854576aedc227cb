import type { RepositoryAccess } from "../repository/access.ts";
import type { ChunkIndexData } from "../packs/chunk_index.ts";
import { loadIndex } from "../packs/index_segment.ts";
import { acquireLease } from "../repository/lease.ts";
import { openRepository } from "../repository/repository.ts";
import type { BackupServices } from "../types.ts";
import type { DataSource } from "../versions/version_data.ts";
import type { ObjectStore, StoreLocation } from "../../cloud/object_store.ts";
import { openStore } from "../../cloud/open_store.ts";
import type { PoolJob, TaskContext } from "../../../workers/types.ts";

/** Loads a repository's index in a worker; its memory is shared, so handing it on costs nothing. */
export async function loadIndexTask(
  { access }: { access: RepositoryAccess },
  context: TaskContext,
): Promise<ChunkIndexData> {
  context.checkpoint();
  const { index } = await loadIndex(access, openStore(access.location));
  return index.data;
}

/** An index and what it was made of. */
interface CachedIndex {
  repositoryId: string;
  /** Names and tags: as long as they are the same, so is the index. */
  segments: string;
  index: ChunkIndexData;
}

/** Larger ones are loaded each time: 64 MiB are about 1,200,000 chunks. */
const MOST_CACHED = 64 * 2 ** 20;

/** The index that was loaded last. */
let cached: CachedIndex | undefined;

/** What tasks read a repository's data from. @throws EngineError, StoreError */
export async function loadSource(access: RepositoryAccess, tasks: PoolJob): Promise<DataSource> {
  const { repositoryId } = access;
  // Looked at before loading: what comes in between is in the index, and makes it be loaded again next time.
  let segments = "";
  for await (const { key, etag } of openStore(access.location).list("index/")) segments += `${key} ${etag}\n`;
  if (cached?.repositoryId === repositoryId && cached.segments === segments) return { access, index: cached.index };
  const index = await tasks.run("backup.index", { access });
  cached = indexBytes(index) <= MOST_CACHED ? { repositoryId, segments, index } : undefined;
  return { access, index };
}

/** Bytes in use; the memory that is reserved is more. */
function indexBytes({ chunkCount, frameCount, packCount }: ChunkIndexData): number {
  return chunkCount * 43 + frameCount * 16 + packCount * 76;
}

/** A repository that is open to be read and that nobody prunes meanwhile. */
export interface Reading extends AsyncDisposable {
  access: RepositoryAccess;
  store: ObjectStore;
  /** Fires on the caller's signal and when the lease is lost. */
  signal: AbortSignal;
}

/**
 * Opens a repository under a shared lease.
 * @param purpose for whoever is turned away: `restore`, …
 * @throws EngineError, StoreError
 */
export async function openReading(
  location: StoreLocation,
  services: Pick<BackupServices, "password" | "host">,
  purpose: string,
  signal: AbortSignal,
): Promise<Reading> {
  const access = await openRepository(location, services.password);
  const store = openStore(location);
  const lease = await acquireLease(access, store, { mode: "shared", purpose, host: services.host, signal });
  return {
    access,
    store,
    signal: AbortSignal.any([signal, lease.signal]),
    [Symbol.asyncDispose]: () => lease[Symbol.asyncDispose](),
  };
}
