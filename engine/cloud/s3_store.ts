import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { type S3Location, StoreError } from "./object_store.ts";
import type {
  Attributes,
  BegunUploads,
  Body,
  ObjectDetails,
  OpenRange,
  Page,
  RemoteDriver,
  Upload,
} from "./remote_driver.ts";
import { RemoteStore } from "./remote_store.ts";
import type { RequestOptions } from "./requests.ts";
import { contentDisposition } from "./content_disposition.ts";
import { s3Client, type S3Sdk } from "./s3_client.ts";
import { s3Error } from "./s3_error.ts";
import { begunUploads, partBytes } from "./s3_uploads.ts";
import { bare, checkTag, decodeKey, ifFree, info, md5Of, named } from "./s3_values.ts";

/** A bucket of Amazon S3 or of a service that speaks its protocol. Costs nothing until it is used. */
export function s3Store(location: S3Location, options?: RequestOptions): RemoteStore {
  return new RemoteStore(new S3Driver(location), location.prefix, options);
}

/** Read at once. */
const PIECE = 256 << 10;

type Client = Awaited<ReturnType<typeof s3Client>>["client"];

class S3Driver implements RemoteDriver {
  readonly description: string;
  readonly mostParts = 10_000;
  /** Services that do not know `If-None-Match` on a PUT pass over it. */
  readonly isConditional = false;
  readonly #bucket: string;

  constructor(private readonly location: S3Location) {
    this.#bucket = location.bucket;
    this.description = `s3://${location.bucket}`;
  }

  refusal(): undefined {
    return undefined;
  }

  put(
    key: string,
    body: Body,
    attributes: Attributes,
    ifAbsent: boolean,
    abortSignal: AbortSignal,
    alive: () => void,
  ): Promise<string> {
    return this.#call(key, async (sdk, client) => {
      const answer = await client.send(
        new sdk.PutObjectCommand({
          ...this.#target(key),
          ...this.#content(body, alive),
          ...named(attributes),
          ...ifFree(ifAbsent),
        }),
        { abortSignal },
      );
      checkTag(key, body, answer);
      return bare(answer.ETag);
    });
  }

  open(
    key: string,
    { offset, length, etag }: { offset: number; length?: number; etag?: string },
    abortSignal: AbortSignal,
  ): Promise<OpenRange> {
    return this.#call(key, async (sdk, client) => {
      const isWhole = offset === 0 && length === undefined;
      const last = length === undefined ? "" : offset + length - 1;
      const answer = await client.send(
        new sdk.GetObjectCommand({
          ...this.#target(key),
          ...(isWhole ? {} : { Range: `bytes=${offset}-${last}` }),
          ...(etag === undefined ? {} : { IfMatch: `"${etag}"` }),
        }),
        { abortSignal },
      );
      const arriving = answer.ContentLength ?? 0;
      const size = Number(answer.ContentRange?.split("/")[1] ?? arriving);
      const stream = answer.Body as unknown as ReadableStream<Uint8Array>;
      const reader = stream.getReader({ mode: "byob" });
      return {
        pieces: piecesOf(reader),
        cancel: () => cancel(reader),
        length: arriving,
        size,
        etag: bare(answer.ETag),
      };
    }).catch((error) => {
      if (!(error instanceof StoreError && error.kind === "exists")) throw error;
      throw new StoreError("unavailable", `${key} was replaced while it was read`, false, { cause: error });
    });
  }

  async head(key: string, abortSignal: AbortSignal): Promise<ObjectDetails> {
    try {
      return await this.#call(key, async (sdk, client) => {
        const answer = await client.send(new sdk.HeadObjectCommand(this.#target(key)), { abortSignal });
        return {
          ...info(key, answer.ContentLength, answer.LastModified, answer.ETag),
          contentType: answer.ContentType,
          metadata: answer.Metadata ?? {},
          md5: md5Of(answer),
        };
      });
    } catch (error) {
      // An answer without a body does not tell whether it is the bucket that is missing.
      if (error instanceof StoreError && error.kind === "not-found") await this.#refuseMissingBucket(abortSignal);
      throw error;
    }
  }

  async #refuseMissingBucket(abortSignal: AbortSignal): Promise<void> {
    try {
      await this.probe(abortSignal);
    } catch (error) {
      // Who may use the objects may yet not be allowed to ask for the bucket.
      if (error instanceof StoreError && error.kind !== "denied") throw error;
    }
  }

  list(
    prefix: string,
    { cursor, limit, signal }: { cursor?: string; limit?: number; signal: AbortSignal },
  ): Promise<Page> {
    return this.#call(prefix, async (sdk, client) => {
      const answer = await client.send(
        new sdk.ListObjectsV2Command({
          Bucket: this.#bucket,
          Prefix: prefix,
          ContinuationToken: cursor,
          MaxKeys: limit,
          // Some characters of keys cannot be in XML.
          EncodingType: "url",
        }),
        { abortSignal: signal },
      );
      const decode = answer.EncodingType === "url" ? decodeKey : (text: string) => text;
      const infos = (answer.Contents ?? []).map((each) =>
        info(decode(each.Key ?? ""), each.Size, each.LastModified, each.ETag)
      );
      return { infos, cursor: answer.IsTruncated ? answer.NextContinuationToken : undefined };
    });
  }

  delete(key: string, abortSignal: AbortSignal): Promise<void> {
    return this.#call(key, async (sdk, client) => {
      await client.send(new sdk.DeleteObjectCommand(this.#target(key)), { abortSignal });
    }).catch((error) => {
      if (!(error instanceof StoreError && error.kind === "not-found")) throw error;
    });
  }

  begin(key: string, attributes: Attributes, abortSignal: AbortSignal): Promise<Upload> {
    return this.#call(key, async (sdk, client) => {
      const answer = await client.send(
        new sdk.CreateMultipartUploadCommand({ ...this.#target(key), ...named(attributes) }),
        { abortSignal },
      );
      return { key, id: answer.UploadId as string };
    });
  }

  putPart(
    { key, id }: Upload,
    number: number,
    body: Body,
    abortSignal: AbortSignal,
    alive: () => void,
  ): Promise<string> {
    return this.#call(key, async (sdk, client) => {
      const answer = await client.send(
        new sdk.UploadPartCommand({
          ...this.#target(key),
          ...this.#content(body, alive),
          UploadId: id,
          PartNumber: number,
        }),
        { abortSignal },
      );
      checkTag(key, body, answer);
      return bare(answer.ETag);
    });
  }

  complete(
    { key, id }: Upload,
    tags: readonly string[],
    _: Attributes,
    ifAbsent: boolean,
    abortSignal: AbortSignal,
  ): Promise<string> {
    return this.#call(key, async (sdk, client) => {
      const answer = await client.send(
        new sdk.CompleteMultipartUploadCommand({
          ...this.#target(key),
          UploadId: id,
          MultipartUpload: { Parts: tags.map((tag, index) => ({ PartNumber: index + 1, ETag: `"${tag}"` })) },
          ...ifFree(ifAbsent),
        }),
        { abortSignal },
      );
      return bare(answer.ETag);
    }).catch((error) => {
      // What was sent cannot be used after that.
      if ((error.cause as Error | undefined)?.name !== "ConditionalRequestConflict") throw error;
      throw new StoreError("not-found", error.message, false, { cause: error });
    });
  }

  isOutcome(_: Upload, tags: readonly string[], found: ObjectDetails): boolean {
    const all = createHash("md5");
    for (const tag of tags) all.update(tag, "hex");
    return found.etag === `${all.digest("hex")}-${tags.length}`;
  }

  abort({ key, id }: Upload, abortSignal: AbortSignal): Promise<void> {
    return this.#call(key, async (sdk, client) => {
      await client.send(new sdk.AbortMultipartUploadCommand({ ...this.#target(key), UploadId: id }), { abortSignal });
    }).catch((error) => {
      if (!(error instanceof StoreError && error.kind === "not-found")) throw error;
    });
  }

  abortBegun(begun: BegunUploads, abortSignal: AbortSignal): Promise<number> {
    return this.#call(begun.prefix, async (sdk, client) => {
      let bytes = 0;
      const access = { sdk, client };
      for (const upload of await begunUploads(access, this.#bucket, begun, abortSignal)) {
        bytes += await partBytes(access, this.#bucket, upload, abortSignal);
        await this.abort(upload, abortSignal);
      }
      return bytes;
    });
  }

  probe(abortSignal: AbortSignal): Promise<void> {
    return this.#call("the bucket", async (sdk, client) => {
      await client.send(new sdk.HeadBucketCommand({ Bucket: this.#bucket }), { abortSignal });
    }).catch((error) => {
      if (!(error instanceof StoreError && error.kind === "not-found")) throw error;
      throw new StoreError("unavailable", `${this.description}: there is no such bucket`, false, { cause: error });
    });
  }

  link(
    key: string,
    seconds: number,
    { name, contentType }: { name: string; contentType: string | undefined },
  ): Promise<string> {
    return this.#call(key, async (sdk, client) => {
      const { getSignedUrl } = await import("@aws-sdk/s3-request-presigner");
      const command = new sdk.GetObjectCommand({
        ...this.#target(key),
        ResponseContentDisposition: contentDisposition(name),
        ...(contentType === undefined ? {} : { ResponseContentType: contentType }),
      });
      return await getSignedUrl(client, command, { expiresIn: seconds });
    });
  }

  #target(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: key };
  }

  #content(
    body: Body,
    alive: () => void,
  ): { Body: Uint8Array | Readable; ContentLength: number; ContentMD5: string } {
    return { Body: body.open(alive), ContentLength: body.size, ContentMD5: body.md5.toBase64() };
  }

  async #call<T>(what: string, action: (sdk: S3Sdk, client: Client) => Promise<T>): Promise<T> {
    const { sdk, client } = await s3Client(this.location);
    try {
      return await action(sdk, client);
    } catch (error) {
      throw s3Error(error, what, this.description);
    }
  }
}

type Reader = ReadableStreamBYOBReader;

/** All of them in one piece of memory, one after the other: else most of what a long read holds is garbage. */
async function* piecesOf(reader: Reader): AsyncGenerator<Uint8Array> {
  let memory = new ArrayBuffer(PIECE);
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(memory));
    if (done) return;
    yield value;
    memory = value.buffer;
  }
}

function cancel(reader: Reader): void {
  reader.cancel().catch(() => {
    // The connection was lost already.
  });
}
