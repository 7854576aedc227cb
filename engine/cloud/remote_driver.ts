import type { Readable } from "node:stream";
import type { ObjectInfo } from "./object_store.ts";

/** What an object is besides its bytes. */
export interface ObjectDetails extends ObjectInfo {
  contentType: string | undefined;
  /** Names in lower case. */
  metadata: Record<string, string>;
}

export interface Attributes {
  contentType?: string | undefined;
  /** Names in lower case. */
  metadata?: Record<string, string> | undefined;
}

/** An upload in parts that was begun: plain data, so that another thread or a later process can go on with it. */
export interface Upload {
  key: string;
  /** The store's own name of it. */
  id: string;
}

/** Bytes on their way up, and their MD5: they can be sent again. */
export interface Body {
  size: number;
  md5: Uint8Array;
  open(): Uint8Array | Readable;
}

export interface OpenRange {
  /** Ends early, or fails, where the connection is lost. */
  pieces: AsyncIterable<Uint8Array>;
  /** Ends the transfer. */
  cancel(): void;
  /** Bytes that come. */
  length: number;
  /** Of the whole object. */
  size: number;
  etag: string;
}

export interface Page {
  infos: ObjectInfo[];
  /** For the next page; undefined after the last. */
  cursor: string | undefined;
}

/**
 * One try of each thing that a distant store can do, keys as they are there. Every failure is a `StoreError`, whose `retry` says whether
 * another try makes sense; {@link RemoteStore} makes it.
 */
export interface RemoteDriver {
  readonly description: string;
  /** Of an upload in parts. */
  readonly mostParts: number;
  /** Whether `ifAbsent` is decided in one step by any service that speaks this protocol. */
  readonly isConditional: boolean;
  /** Why the service would not keep a key as it is; undefined where it does. */
  refusal(key: string): string | undefined;
  put(key: string, body: Body, attributes: Attributes, ifAbsent: boolean, signal: AbortSignal): Promise<void>;
  /** `offset` 0 without a length is the whole object. With `etag`: fails with `exists` where the object is another by now. */
  open(key: string, range: { offset: number; length?: number; etag?: string }, signal: AbortSignal): Promise<OpenRange>;
  head(key: string, signal: AbortSignal): Promise<ObjectDetails>;
  list(prefix: string, options: { cursor?: string; limit?: number; signal: AbortSignal }): Promise<Page>;
  delete(key: string, signal: AbortSignal): Promise<void>;
  begin(key: string, attributes: Attributes, signal: AbortSignal): Promise<Upload>;
  /** Part numbers count from 1. Gives the tag that {@link complete} needs. */
  putPart(upload: Upload, number: number, body: Body, signal: AbortSignal): Promise<string>;
  complete(
    upload: Upload,
    tags: readonly string[],
    attributes: Attributes,
    ifAbsent: boolean,
    signal: AbortSignal,
  ): Promise<void>;
  /** Whether an object is the outcome of {@link complete} with these tags, for the case that its answer was lost. */
  isOutcome(upload: Upload, tags: readonly string[], found: ObjectDetails): boolean;
  abort(upload: Upload, signal: AbortSignal): Promise<void>;
  /** Gives up the uploads in parts that were begun under a prefix before a time, and returns their bytes. */
  abortOld(prefix: string, before: Date, signal: AbortSignal): Promise<number>;
  /** Rejects where the bucket cannot be used, and says why. */
  probe(signal: AbortSignal): Promise<void>;
  /** A link to read one object, good for so many seconds. */
  link(key: string, seconds: number, download: { name: string; contentType: string | undefined }): Promise<string>;
}
