import type { RepositoryAccess } from "./access.ts";
import type { ChunkIndexData } from "./chunk_index.ts";
import { loadIndex } from "./index_segment.ts";
import { acquireLease } from "./lease.ts";
import { openRepository } from "./repository.ts";
import type { BackupServices } from "./types.ts";
import type { DataSource } from "./version_data.ts";
import type { ObjectStore, StoreLocation } from "../cloud/object_store.ts";
import { openStore } from "../cloud/open_store.ts";
import type { PoolJob } from "../../workers/types.ts";
import type { TaskContext } from "../../workers/types.ts";

/** Loads a repository's index in a worker; its memory is shared, so handing it on costs nothing. */
export async function loadIndexTask(
  { access }: { access: RepositoryAccess },
  context: TaskContext,
): Promise<ChunkIndexData> {
  context.checkpoint();
  const { index } = await loadIndex(access, openStore(access.location));
  return index.data;
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

/** The source of data for tasks of a job. */
export async function loadSource({ access }: Reading, tasks: PoolJob): Promise<DataSource> {
  return { access, index: await tasks.run("backup.index", { access }) };
}
