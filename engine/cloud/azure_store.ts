import type { ContainerClient } from "@azure/storage-blob";
import { type AzureLocation, type ObjectInfo, StoreError } from "./object_store.ts";
import type { Readable } from "node:stream";
import type { Attributes, Body, ObjectDetails, OpenRange, Page, RemoteDriver, Upload } from "./remote_driver.ts";
import { RemoteStore } from "./remote_store.ts";
import type { RequestOptions } from "./requests.ts";
import { azureClient, type AzureSdk } from "./azure_client.ts";
import { azureError } from "./azure_error.ts";
import { contentDisposition } from "./content_disposition.ts";

/** A container of Azure Blob Storage. Costs nothing until it is used. */
export function azureStore(location: AzureLocation, options?: RequestOptions): RemoteStore {
  return new RemoteStore(new AzureDriver(location.container), location.prefix, options);
}

/** Names of metadata are C# identifiers there, so `-` becomes this, and comes back. */
const HYPHEN = "_x2d_";

/**
 * Blocks that are never committed vanish by themselves after a week, so nothing is given up. An upload's id begins the names of its blocks.
 */
class AzureDriver implements RemoteDriver {
  readonly description: string;
  readonly mostParts = 50_000;
  readonly isConditional = true;

  constructor(private readonly container: string) {
    this.description = `azure://${container}`;
  }

  refusal(key: string): string | undefined {
    return key.includes("\\") ? "Azure keeps a backslash as a slash" : undefined;
  }

  put(
    key: string,
    body: Body,
    attributes: Attributes,
    ifAbsent: boolean,
    abortSignal: AbortSignal,
    alive: () => void,
  ): Promise<string> {
    return this.#call(key, async (container) => {
      const answer = await container.getBlockBlobClient(key).upload(sent(body, alive), body.size, {
        abortSignal,
        transactionalContentMD5: body.md5,
        ...named(attributes, body.md5),
        ...ifFree(ifAbsent),
      });
      return bare(answer.etag);
    });
  }

  open(
    key: string,
    { offset, length, etag }: { offset: number; length?: number; etag?: string },
    abortSignal: AbortSignal,
  ): Promise<OpenRange> {
    return this.#call(key, async (container) => {
      const conditions = etag === undefined ? {} : { ifMatch: `"${etag}"` };
      const answer = await container.getBlobClient(key)
        .download(offset, length, { abortSignal, conditions, maxRetryRequests: 0 });
      const arriving = answer.contentLength ?? 0;
      const size = Number(answer.contentRange?.split("/")[1] ?? arriving);
      const stream = answer.readableStreamBody as Readable;
      return { pieces: stream, cancel: () => void stream.destroy(), length: arriving, size, etag: bare(answer.etag) };
    }).catch((error) => {
      if (!(error instanceof StoreError && error.kind === "exists")) throw error;
      throw new StoreError("unavailable", `${key} was replaced while it was read`, false, { cause: error });
    });
  }

  head(key: string, abortSignal: AbortSignal): Promise<ObjectDetails> {
    return this.#call(key, async (container) => {
      const answer = await container.getBlobClient(key).getProperties({ abortSignal });
      return {
        ...info(key, answer.contentLength, answer.lastModified, answer.etag),
        contentType: answer.contentType,
        md5: answer.contentMD5?.toHex(),
        metadata: renamed(answer.metadata ?? {}, (name) => name.toLowerCase().replaceAll(HYPHEN, "-")),
      };
    });
  }

  list(
    prefix: string,
    { cursor, limit, signal }: { cursor?: string; limit?: number; signal: AbortSignal },
  ): Promise<Page> {
    return this.#call(prefix, async (container) => {
      const pages = container.listBlobsFlat({ prefix, abortSignal: signal })
        .byPage({ maxPageSize: limit ?? 5000, continuationToken: cursor });
      const { value, done } = await pages.next();
      if (done) return { infos: [], cursor: undefined };
      const infos = value.segment.blobItems.map(({ name, properties }) =>
        info(name, properties.contentLength, properties.lastModified, properties.etag)
      );
      return { infos, cursor: value.continuationToken || undefined };
    });
  }

  delete(key: string, abortSignal: AbortSignal): Promise<void> {
    return this.#call(key, async (container) => {
      await container.getBlobClient(key).delete({ abortSignal, deleteSnapshots: "include" });
    }).catch((error) => {
      if (!(error instanceof StoreError && error.kind === "not-found")) throw error;
    });
  }

  begin(key: string): Promise<Upload> {
    return Promise.resolve({ key, id: crypto.randomUUID() });
  }

  putPart(
    { key, id }: Upload,
    number: number,
    body: Body,
    abortSignal: AbortSignal,
    alive: () => void,
  ): Promise<string> {
    return this.#call(key, async (container) => {
      // All blocks of a blob have names of one length.
      const block = btoa(`${id}-${String(number).padStart(6, "0")}`);
      await container.getBlockBlobClient(key).stageBlock(block, sent(body, alive), body.size, {
        abortSignal,
        transactionalContentMD5: body.md5,
      });
      return block;
    });
  }

  complete(
    { key }: Upload,
    tags: readonly string[],
    attributes: Attributes,
    ifAbsent: boolean,
    abortSignal: AbortSignal,
  ): Promise<string> {
    return this.#call(key, async (container) => {
      const answer = await container.getBlockBlobClient(key).commitBlockList([...tags], {
        abortSignal,
        ...named(attributes),
        ...ifFree(ifAbsent),
      });
      return bare(answer.etag);
    });
  }

  /** To commit the same blocks again is no error, so this is asked only where another's object is in the way. */
  isOutcome(): boolean {
    return false;
  }

  abort(): Promise<void> {
    return Promise.resolve();
  }

  abortBegun(): Promise<number> {
    return Promise.resolve(0);
  }

  probe(abortSignal: AbortSignal): Promise<void> {
    return this.#call("the container", async (container) => {
      await container.getProperties({ abortSignal });
    });
  }

  link(
    key: string,
    seconds: number,
    { name, contentType }: { name: string; contentType: string | undefined },
  ): Promise<string> {
    return this.#call(key, (container, sdk) =>
      container.getBlobClient(key).generateSasUrl({
        permissions: sdk.BlobSASPermissions.parse("r"),
        expiresOn: new Date(Date.now() + seconds * 1000),
        contentDisposition: contentDisposition(name),
        ...(contentType === undefined ? {} : { contentType }),
      }));
  }

  async #call<T>(what: string, action: (container: ContainerClient, sdk: AzureSdk) => Promise<T>): Promise<T> {
    const { sdk, container } = await azureClient(this.container);
    try {
      return await action(container, sdk);
    } catch (error) {
      throw azureError(error, what, this.description);
    }
  }
}

function sent(body: Body, alive: () => void): Uint8Array | (() => Readable) {
  const opened = body.open(alive);
  // The SDK opens a stream once for each try, of which there is one.
  return opened instanceof Uint8Array ? opened : () => opened;
}

function named({ contentType, metadata = {} }: Attributes, md5?: Uint8Array) {
  return {
    metadata: renamed(metadata, (name) => name.replaceAll("-", HYPHEN)),
    blobHTTPHeaders: {
      blobContentType: contentType ?? "application/octet-stream",
      ...(md5 === undefined ? {} : { blobContentMD5: md5 }),
    },
  };
}

function renamed(metadata: Record<string, string>, rename: (name: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [rename(name), value]));
}

function ifFree(ifAbsent: boolean): { conditions?: { ifNoneMatch: "*" } } {
  return ifAbsent ? { conditions: { ifNoneMatch: "*" } } : {};
}

function bare(etag: string | undefined): string {
  return (etag ?? "").replaceAll('"', "");
}

function info(key: string, size: number | undefined, modified: Date | undefined, etag: string | undefined): ObjectInfo {
  return { key, size: size ?? 0, modified: (modified ?? new Date(0)).toISOString(), etag: bare(etag) };
}
