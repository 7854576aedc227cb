import type { StoreLocation } from "../../cloud/object_store.ts";

/** How files are cut into chunks: FORMAT.md section 6. Sizes in bytes. */
export interface Chunking {
  algorithm: "fastcdc";
  minimum: number;
  /** A power of two. */
  average: number;
  maximum: number;
  /** By how many bits the mask is stricter before `average` and laxer after it. */
  normalization: number;
  /** A file is cut at every multiple of it, whatever its content. */
  region: number;
}

/** What sealing, naming and encrypting need of a repository. `masterKey` is null exactly where it is not encrypted. */
export interface KeyAccess {
  encrypted: boolean;
  masterKey: Uint8Array | null;
}

/**
 * An open repository as plain data, which goes to workers. Whoever holds it can read and write everything: it must not be
 * logged, nor leave the process.
 */
export interface RepositoryAccess extends KeyAccess {
  location: StoreLocation;
  repositoryId: string;
  chunking: Chunking;
  /** 32 bytes, secret where encrypted. */
  gearSeed: Uint8Array;
}
