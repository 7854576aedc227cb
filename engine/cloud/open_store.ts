import { azureStore } from "./azure_store.ts";
import { DirectoryStore } from "./directory_store.ts";
import { type CloudLocation, type ObjectStore, StoreError, type StoreLocation } from "./object_store.ts";
import { LocalStore } from "./local_store.ts";
import type { RemoteStore } from "./remote_store.ts";
import { s3Store } from "./s3_store.ts";

const memory = new Map<string, ObjectStore>();

/** Opens the store of a location. Costs nothing and needs no closing, so a task may open it each time. @throws StoreError */
export function openStore(location: StoreLocation): ObjectStore {
  if (location.type === "directory") return new DirectoryStore(location.path);
  if (location.type === "s3") return s3Store(location);
  if (location.type === "azure") return azureStore(location);
  const store = memory.get(location.name);
  if (store === undefined) throw new StoreError("unavailable", `No store in memory is named ${location.name}`);
  return store;
}

/** For tests: makes a store known in this thread by a name, in place of what had it. */
export function registerMemoryStore(name: string, store: ObjectStore): StoreLocation {
  memory.set(name, store);
  return { type: "memory", name };
}

/** For tests: the store's memory is free once nobody else has it. */
export function forgetMemoryStore(name: string): void {
  memory.delete(name);
}

/** As {@link openStore}, of a place that the cloud API uses. @throws StoreError */
export function openCloudStore(location: CloudLocation): RemoteStore | LocalStore {
  if (location.type === "s3") return s3Store(location);
  if (location.type === "azure") return azureStore(location);
  return new LocalStore(location.path);
}
