/** The cloud API's operations, as the API sees them. */
import type { JobContext } from "../../jobs/types.ts";
import type { CloudLocation, ObjectInfo } from "../object_store.ts";
import type { Attributes, ObjectDetails } from "../remote_driver.ts";

export interface TransferRequest {
  location: CloudLocation;
  key: string;
  /** Local; absolute, resolved. */
  path: string;
}

export interface UploadRequest extends TransferRequest, Attributes {}

export interface TransferResult {
  success: true;
  message: string;
  cloudPath: string;
  localPath: string;
  size: number;
  eTag: string;
  /** Whether it went on with what an interrupted one had done. */
  resumed: boolean;
  /** Bytes that were sent or fetched now. */
  bytesTransferred: number;
  executionTimeMs: number;
}

export interface ListQuery {
  prefix: string;
  filter?: string | undefined;
  after?: string | undefined;
  limit: number;
}

export interface ListPage {
  objects: ObjectInfo[];
  totalCount: number;
  totalBytes: number;
  hasMore: boolean;
}

/**
 * What is thrown on purpose is an `EngineError`: `not-found`, `invalid`, `forbidden` and `conflict` for keys and local files,
 * `storage-unavailable` for whatever keeps the store from being used.
 */
export interface CloudOperations {
  /** Goes on where the same upload was interrupted, where the file is the same. */
  upload(request: UploadRequest, job: JobContext): Promise<TransferResult>;
  /** Goes on where the same download was interrupted, where the object is the same. */
  download(request: TransferRequest, job: JobContext): Promise<TransferResult>;
  list(location: CloudLocation, query: ListQuery): Promise<ListPage>;
  details(location: CloudLocation, key: string): Promise<ObjectDetails>;
  delete(location: CloudLocation, key: string): Promise<void>;
  /** A link of the provider's own, not for a directory. */
  link(location: CloudLocation, key: string, seconds: number): Promise<string>;
}
