/**
 * What a repository and the cloud API ask of a place that keeps objects by key. Every provider passes one conformance suite.
 *
 * Keys are relative paths of 1 to 1,024 bytes: no leading or trailing `/`, no empty, `.` or `..` part, no NUL.
 */

export interface ObjectInfo {
  key: string;
  /** Bytes. */
  size: number;
  /** ISO 8601, UTC. */
  modified: string;
  /** Without quotes; changes when the content does. */
  etag: string;
}

export interface PutOptions {
  /** Fail with `exists` where the key is taken, decided in one step. */
  ifAbsent?: boolean;
  signal?: AbortSignal;
}

export interface ReadOptions {
  /** First byte, default 0. */
  offset?: number;
  /** Bytes; default: to the end. A range that goes past the end is an error. */
  length?: number;
  signal?: AbortSignal;
}

/**
 * An object on its way, whose key is known only when all of it is written. Nothing is seen under a key before {@link commit}
 * resolves. Without it, disposing of the writer leaves nothing.
 */
export interface ObjectWriter extends AsyncDisposable {
  /** Takes the object's bytes in order; its backpressure is the store's. It may keep no reference to a piece once its write has resolved. */
  readonly writable: WritableStream<Uint8Array>;
  /** Makes the object durable and gives it its key, replacing what had it. Call once, after the stream was closed. */
  commit(key: string, options?: PutOptions): Promise<void>;
}

/**
 * A store of objects.
 *
 * - Atomic: a key holds an old object or a new one, whole, at every moment; a crash or an abort in the middle of a `put` leaves the old state.
 * - Durable: what a resolved `put`, `commit` or `delete` did survives a power cut.
 * - Strongly consistent: `get`, `head` and `list` see every operation that resolved before them.
 * - Every method may reject with a {@link StoreError}, or with the signal's reason. Aborting is prompt, and what was begun is undone or
 *   done, never half.
 * - Any number of calls may run at once.
 */
export interface ObjectStore {
  /** For messages: kind and place, no secrets. */
  readonly description: string;
  /** Whether each request costs a delay, so that few long ones are better than many short ones. */
  readonly isDistant?: boolean;
  put(key: string, body: Uint8Array | ReadableStream<Uint8Array>, options?: PutOptions): Promise<void>;
  writer(options?: { signal?: AbortSignal }): Promise<ObjectWriter>;
  /** Exactly the asked bytes, or `not-found`, or `invalid` for a range that is not there. */
  read(key: string, options?: ReadOptions): Promise<Uint8Array<ArrayBuffer>>;
  /** As {@link read}, as a stream. Cancelling it ends the transfer. */
  get(key: string, options?: ReadOptions): Promise<ReadableStream<Uint8Array>>;
  /** `not-found` where there is none. */
  head(key: string, options?: { signal?: AbortSignal }): Promise<ObjectInfo>;
  /** All keys that begin with the prefix, sorted by bytes, in memory a page at a time. */
  list(prefix: string, options?: { signal?: AbortSignal }): AsyncIterable<ObjectInfo>;
  /** Idempotent: no object with the key is no error. */
  delete(key: string, options?: { signal?: AbortSignal }): Promise<void>;
  /**
   * Removes what writers that were begun before a time left without a commit, and returns its bytes. Whoever calls it knows that
   * none of them is still at work.
   */
  removeUnfinished(before: Date): Promise<number>;
}

/**
 * - `not-found`, `exists` (of `ifAbsent`), `invalid` (a key or a range), `denied` (no permission, wrong credentials), `full` (disk or quota),
 *   `unavailable` (cannot be reached, timed out, throttled: `retry` says whether again makes sense), `damaged` (what arrived is not what was stored).
 */
export type StoreErrorKind = "not-found" | "exists" | "invalid" | "denied" | "full" | "unavailable" | "damaged";

export class StoreError extends Error {
  override readonly name = "StoreError";

  /** How long the store asks to wait before it is tried again, in ms. */
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly kind: StoreErrorKind,
    message: string,
    readonly retry = false,
    options?: ErrorOptions & { retryAfterMs?: number | undefined },
  ) {
    super(message, options);
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/** Where a store is, as plain data that goes to workers; {@link openStore} opens it there. Holds no credentials. */
export type StoreLocation =
  | { type: "directory"; path: string }
  | S3Location
  | AzureLocation
  /** For tests: a store of this process by name, which a test may have wrapped to fail. */
  | { type: "memory"; name: string };

export interface S3Location {
  type: "s3";
  bucket: string;
  /** What every key begins with, without a slash at either end; may be empty. */
  prefix: string;
  /** Of an S3-compatible service; default: Amazon's. */
  endpoint?: string;
  /** Default: `us-east-1` where there is an endpoint, else as the AWS SDK finds it. */
  region?: string;
  /** The bucket in the path, not in the host's name, as most services of one's own need it. */
  forcePathStyle?: boolean;
}

export interface AzureLocation {
  type: "azure";
  container: string;
  /** As of {@link S3Location}. */
  prefix: string;
}

/** Where the objects of a provider of the cloud API are. */
export type CloudLocation = S3Location | AzureLocation | { type: "directory"; path: string };
