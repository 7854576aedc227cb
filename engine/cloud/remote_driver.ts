import type { Readable } from "node:stream";
import type { ObjectInfo } from "./object_store.ts";

/** What an object is besides its bytes. */
export interface ObjectDetails extends ObjectInfo {
  contentType: string | undefined;
  /** Names in lower case. */
  metadata: Record<string, string>;
  /** Of all its bytes, in hexadecimal, where the store knows it. */
  md5?: string | undefined;
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
  /** Where all of it is in memory. */
  bytes?: Uint8Array;
  /** @param alive is called whenever some of a long one was taken. */
  open(alive: () => void): Uint8Array | Readable;
}

export interface OpenRange {
  /** Ends early, or fails, where the connection is lost. Each is good until the next is asked for. */
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

/** Which uploads in parts are meant. */
export interface BegunUploads {
  prefix: string;
  /** Whether the prefix is the whole key. */
  isKey?: boolean;
  /** Not included. */
  before: Date;
  /** Default: any time. */
  after?: Date;
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
  /** Gives the object's tag. @param alive is called whenever some of the body has gone. */
  put(
    key: string,
    body: Body,
    attributes: Attributes,
    ifAbsent: boolean,
    signal: AbortSignal,
    alive: () => void,
  ): Promise<string>;
  /** `offset` 0 without a length is the whole object. With `etag`: fails with `exists` where the object is another by now. */
  open(key: string, range: { offset: number; length?: number; etag?: string }, signal: AbortSignal): Promise<OpenRange>;
  head(key: string, signal: AbortSignal): Promise<ObjectDetails>;
  list(prefix: string, options: { cursor?: string; limit?: number; signal: AbortSignal }): Promise<Page>;
  delete(key: string, signal: AbortSignal): Promise<void>;
  begin(key: string, attributes: Attributes, signal: AbortSignal): Promise<Upload>;
  /** Part numbers count from 1. Gives the tag that {@link complete} needs. */
  putPart(upload: Upload, number: number, body: Body, signal: AbortSignal, alive: () => void): Promise<string>;
  /** Gives the object's tag. Fails with `not-found` where the upload is no more and must be begun again. */
  complete(
    upload: Upload,
    tags: readonly string[],
    attributes: Attributes,
    ifAbsent: boolean,
    signal: AbortSignal,
  ): Promise<string>;
  /** Whether an object is the outcome of {@link complete} with these tags, for the case that its answer was lost. */
  isOutcome(upload: Upload, tags: readonly string[], found: ObjectDetails): boolean;
  abort(upload: Upload, signal: AbortSignal): Promise<void>;
  /** Gives up the uploads in parts that were begun under a prefix in some time, and returns their bytes. */
  abortBegun(begun: BegunUploads, signal: AbortSignal): Promise<number>;
  /** Rejects where the bucket cannot be used, and says why. */
  probe(signal: AbortSignal): Promise<void>;
  /** A link to read one object, good for so many seconds. */
  link(key: string, seconds: number, download: { name: string; contentType: string | undefined }): Promise<string>;
}
