import type { StoreLocation } from "../cloud/object_store.ts";
import type { JobContext } from "../jobs/types.ts";
import type {
  BrowseEntry,
  CheckRequest,
  CheckResult,
  CreateRequest,
  CreateResult,
  DiffEntry,
  PruneRequest,
  PruneResult,
  RepairRequest,
  RepairResult,
  RestoreRequest,
  RestoreResult,
  VersionSummary,
} from "./types.ts";

/** A version in a repository. */
export interface VersionPlace {
  repository: StoreLocation;
  versionId: string;
}

/** An entry of a version; the empty path is the version's root. */
export interface EntryPlace extends VersionPlace {
  /** Below the source, no leading `/`. */
  path: string;
}

export interface BrowsePage {
  /** What the path names. */
  entry: BrowseEntry;
  /** What is in it, sorted by name; empty but for a directory. */
  entries: BrowseEntry[];
  /** The name to go on after; null at the end. */
  next: string | null;
}

export interface VersionListing {
  /** Newest first. */
  versions: VersionSummary[];
  /** Ids of those that cannot be read; check says why. */
  damaged: string[];
}

/** A file or a directory of a version, ready to be read. Nothing is held before it is. */
export type VersionContent =
  | {
    type: "file";
    name: string;
    size: number;
    /** Without quotes; equal only where the bytes are. */
    etag: string;
    /** Takes a lease until the stream ends or is cancelled. Errors on a chunk that is lost, rather than to give wrong bytes. */
    read(range: { offset: number; length: number }, signal: AbortSignal): ReadableStream<Uint8Array>;
  }
  | {
    type: "directory";
    name: string;
    etag: string;
    /** All that is in it, as a tar archive. As {@link read} of a file. */
    tar(signal: AbortSignal): ReadableStream<Uint8Array>;
  };

export interface VersionChange {
  change: "added" | "modified" | "removed";
  path: string;
}

/**
 * What can be done with repositories, for the API and the command line alike. What is thrown on purpose is an `EngineError`:
 * `not-found` for a repository, a version or a path that is not there, `wrong-password`, `damaged`, `conflict` where another
 * operation holds the repository or a directory, `storage-unavailable`, `backup-failed` for what else keeps it from starting
 * or going on. Whatever concerns single files is in the results.
 */
export interface BackupOperations {
  create(request: CreateRequest, job: JobContext): Promise<CreateResult>;
  restore(request: RestoreRequest, job: JobContext): Promise<RestoreResult>;
  prune(request: PruneRequest, job: JobContext): Promise<PruneResult>;
  check(request: CheckRequest, job: JobContext): Promise<CheckResult>;
  repair(request: RepairRequest, job: JobContext): Promise<RepairResult>;
  versions(repository: StoreLocation): Promise<VersionListing>;
  /** The newest version not after a time. */
  versionAt(repository: StoreLocation, pointInTime: Date): Promise<VersionSummary>;
  /** At most `limit` entries of a directory, after a name. */
  browse(place: EntryPlace, page: { after?: string; limit: number }): Promise<BrowsePage>;
  content(place: EntryPlace): Promise<VersionContent>;
  /** From a version to another one, sorted by path. */
  diff(from: VersionPlace, to: string, signal: AbortSignal): AsyncIterable<DiffEntry>;
  /** All changes of a version against the newest earlier one of its source. */
  changes(place: VersionPlace, signal: AbortSignal): AsyncIterable<VersionChange>;
}
