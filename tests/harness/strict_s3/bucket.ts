/** What a bucket holds, with the limits and conditions of Amazon's service. */
import { createHash } from "node:crypto";
import { compareKeys } from "../../../engine/cloud/key.ts";
import { S3Failure } from "./failure.ts";
import { SparseBytes } from "./sparse_bytes.ts";

const LEAST_PART = 5 << 20;
const MOST_BODY = 5 * 2 ** 30;
const MOST_PARTS = 10_000;
const MOST_KEY = 1024;
const MOST_METADATA = 2048;

export interface StoredObject {
  parts: SparseBytes[];
  size: number;
  etag: string;
  modified: Date;
  headers: Record<string, string>;
}

export interface MultipartUpload {
  id: string;
  key: string;
  initiated: Date;
  headers: Record<string, string>;
  parts: Map<number, { bytes: SparseBytes; etag: string }>;
}

export class Bucket {
  readonly objects = new Map<string, StoredObject>();
  readonly uploads = new Map<string, MultipartUpload>();
  #isLosing = false;

  /** The next object is stored, and its answer is lost on the way. */
  lose(): void {
    this.#isLosing = true;
  }

  put(key: string, bytes: SparseBytes, headers: Headers): StoredObject {
    return this.#set(key, [bytes], checkBody(bytes, headers), keptHeaders(key, headers), headers);
  }

  begin(key: string, headers: Headers): MultipartUpload {
    const upload = {
      id: crypto.randomUUID(),
      key,
      initiated: new Date(),
      headers: keptHeaders(key, headers),
      parts: new Map(),
    };
    this.uploads.set(upload.id, upload);
    return upload;
  }

  upload(key: string, id: string): MultipartUpload {
    const upload = this.uploads.get(id);
    if (upload?.key === key) return upload;
    throw new S3Failure(404, "NoSuchUpload", "The specified upload does not exist.");
  }

  putPart(upload: MultipartUpload, number: number, bytes: SparseBytes, headers: Headers): string {
    if (!(number >= 1 && number <= MOST_PARTS)) {
      throw new S3Failure(400, "InvalidArgument", "Part number must be from 1 to 10000");
    }
    const etag = checkBody(bytes, headers);
    upload.parts.set(number, { bytes, etag });
    return etag;
  }

  complete(upload: MultipartUpload, tags: [number: number, etag: string][], headers: Headers): StoredObject {
    const parts = tags.map(([number, etag], index) => {
      const part = upload.parts.get(number);
      if (part?.etag !== etag) throw new S3Failure(400, "InvalidPart", `Part ${number} is not there.`);
      if (index > 0 && number <= tags[index - 1][0]) throw new S3Failure(400, "InvalidPartOrder", "Not in order.");
      if (index < tags.length - 1 && part.bytes.size < LEAST_PART) {
        throw new S3Failure(400, "EntityTooSmall", `Part ${number} is below the least size.`);
      }
      return part;
    });
    const all = createHash("md5");
    for (const { etag } of parts) all.update(etag, "hex");
    const etag = `${all.digest("hex")}-${parts.length}`;
    const stored = this.#set(upload.key, parts.map(({ bytes }) => bytes), etag, upload.headers, headers);
    this.uploads.delete(upload.id);
    return stored;
  }

  #set(
    key: string,
    parts: SparseBytes[],
    etag: string,
    kept: Record<string, string>,
    headers: Headers,
  ): StoredObject {
    if (headers.get("if-none-match") === "*" && this.objects.has(key)) throw failedCondition();
    const size = parts.reduce((sum, part) => sum + part.size, 0);
    const stored = { parts, size, etag, modified: new Date(), headers: kept };
    this.objects.set(key, stored);
    return stored;
  }

  /** Whether the answer of what was just stored is lost. */
  takeLoss(): boolean {
    const isLosing = this.#isLosing;
    this.#isLosing = false;
    return isLosing;
  }

  find(key: string, headers: Headers): StoredObject {
    const object = this.objects.get(key);
    if (object === undefined) throw new S3Failure(404, "NoSuchKey", "The specified key does not exist.");
    const wanted = headers.get("if-match");
    if (wanted !== null && wanted !== `"${object.etag}"`) throw failedCondition();
    return object;
  }

  /** The keys with a prefix that come after another, in order. */
  keys(prefix: string, after: string): string[] {
    return [...this.objects.keys()].filter((key) => key.startsWith(prefix) && compareKeys(key, after) > 0)
      .sort(compareKeys);
  }
}

function failedCondition(): S3Failure {
  return new S3Failure(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
}

function checkBody(bytes: SparseBytes, headers: Headers): string {
  if (bytes.size > MOST_BODY) throw new S3Failure(400, "EntityTooLarge", "The body is above the largest size.");
  const md5 = bytes.md5();
  const given = headers.get("content-md5");
  if (given !== null && given !== md5.toString("base64")) {
    throw new S3Failure(400, "BadDigest", "The Content-MD5 you specified did not match what we received.");
  }
  return md5.toString("hex");
}

function keptHeaders(key: string, headers: Headers): Record<string, string> {
  if (new TextEncoder().encode(key).length > MOST_KEY) {
    throw new S3Failure(400, "KeyTooLongError", "Your key is too long");
  }
  const kept = [...headers].filter(([name]) => name === "content-type" || name.startsWith("x-amz-meta-"));
  const metadata = kept.filter(([name]) => name !== "content-type");
  const size = metadata.reduce((sum, [name, value]) => sum + name.length - "x-amz-meta-".length + value.length, 0);
  if (size > MOST_METADATA) throw new S3Failure(400, "MetadataTooLarge", "Your metadata is too large");
  return Object.fromEntries(kept);
}
