/**
 * S3 as Amazon's service behaves where the emulators are lenient: signatures are checked, conditions decide in one step, parts and keys
 * have their limits, and requests can be refused. Runs of zeros take no memory.
 */
import { Bucket, type StoredObject } from "./bucket.ts";
import { S3Failure } from "./failure.ts";
import { checkSignature } from "./signature.ts";
import { SparseBytes } from "./sparse_bytes.ts";

export interface S3Request {
  method: string;
  bucket: string;
  key: string;
  query: URLSearchParams;
  headers: Headers;
}

export interface StrictS3 extends AsyncDisposable {
  readonly url: string;
  /** What a process must have in its environment to use the bucket. */
  readonly env: Record<string, string>;
  readonly buckets: Map<string, Bucket>;
  /** Answers in the server's place; set by tests. */
  refuse: (request: S3Request) => S3Failure | undefined;
}

const ACCESS_KEY = "strict-key";
const SECRET = "strict-secret";
const PAGE = 1000;

/** Starts it on a free port, with an empty bucket. */
export function startStrictS3(bucket: string): StrictS3 {
  const buckets = new Map([[bucket, new Bucket()]]);
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {}, onError }, async (request) => {
    try {
      return await handle(strict, request);
    } catch (error) {
      if (error instanceof S3Failure) return error.answer(request.method);
      throw error;
    }
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  const strict: StrictS3 = {
    url,
    env: {
      S3_BUCKET: bucket,
      S3_ENDPOINT: url,
      S3_FORCE_PATH_STYLE: "true",
      AWS_ACCESS_KEY_ID: ACCESS_KEY,
      AWS_SECRET_ACCESS_KEY: SECRET,
      AWS_REGION: "us-east-1",
    },
    buckets,
    refuse: () => undefined,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  return strict;
}

/** Clients that are cut, or killed, are what tests are about. */
function onError(error: unknown): Response {
  if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return new Response();
  throw error;
}

async function handle(strict: StrictS3, request: Request): Promise<Response> {
  const url = new URL(request.url);
  const [bucket, ...rest] = url.pathname.slice(1).split("/").map(decodeURIComponent);
  const asked = { method: request.method, bucket, key: rest.join("/"), query: url.searchParams };
  try {
    checkSignature(request, url, { [ACCESS_KEY]: SECRET });
    const refused = strict.refuse({ ...asked, headers: request.headers });
    if (refused !== undefined) throw refused;
    const found = strict.buckets.get(bucket);
    if (found === undefined) throw new S3Failure(404, "NoSuchBucket", "The specified bucket does not exist");
    if (asked.key === "") return ofBucket(found, asked.method, asked.query);
    return await ofObject(found, asked, request);
  } finally {
    // What was not read must not stay in the connection.
    if (!request.bodyUsed) { for await (const _ of request.body ?? []); }
  }
}

function ofBucket(bucket: Bucket, method: string, query: URLSearchParams): Response {
  if (method === "HEAD") return new Response();
  if (method !== "GET") throw new S3Failure(405, "MethodNotAllowed", "Not here.");
  const prefix = query.get("prefix") ?? "";
  if (query.has("uploads")) {
    const uploads = [...bucket.uploads.values()].filter(({ key }) => key.startsWith(prefix));
    return xml(
      "ListMultipartUploadsResult",
      uploads.map(({ key, id, initiated }) =>
        `<Upload><Key>${
          escape(key)
        }</Key><UploadId>${id}</UploadId><Initiated>${initiated.toISOString()}</Initiated></Upload>`
      ).join(""),
    );
  }
  const keys = bucket.keys(prefix, query.get("continuation-token") ?? "");
  const page = keys.slice(0, Math.min(PAGE, Number(query.get("max-keys") ?? PAGE)));
  const isTruncated = page.length < keys.length;
  const contents = page.map((key) => {
    const { size, etag, modified } = bucket.objects.get(key) as StoredObject;
    return `<Contents><Key>${encodeURIComponent(key)}</Key><Size>${size}</Size><ETag>"${etag}"</ETag>` +
      `<LastModified>${modified.toISOString()}</LastModified></Contents>`;
  });
  const next = isTruncated ? `<NextContinuationToken>${escape(page[page.length - 1])}</NextContinuationToken>` : "";
  return xml(
    "ListBucketResult",
    `<EncodingType>url</EncodingType><IsTruncated>${isTruncated}</IsTruncated>${next}${contents.join("")}`,
  );
}

async function ofObject(
  bucket: Bucket,
  { method, key, query }: Pick<S3Request, "method" | "key" | "query">,
  request: Request,
): Promise<Response> {
  const { headers } = request;
  const id = query.get("uploadId");
  if (method === "POST" && query.has("uploads")) {
    const upload = bucket.begin(key, headers);
    return xml("InitiateMultipartUploadResult", `<UploadId>${upload.id}</UploadId>`);
  }
  if (id !== null) return await ofUpload(bucket, bucket.upload(key, id), { method, query }, request);
  if (method === "PUT") {
    const { etag } = bucket.put(key, await SparseBytes.of(request.body), headers);
    if (bucket.takeLoss()) throw new S3Failure(500, "InternalError", "The answer was lost.");
    return new Response(null, { headers: { etag: `"${etag}"` } });
  }
  if (method === "DELETE") {
    bucket.objects.delete(key);
    return new Response(null, { status: 204 });
  }
  return read(bucket.find(key, headers), method, query, headers.get("range"));
}

async function ofUpload(
  bucket: Bucket,
  upload: ReturnType<Bucket["upload"]>,
  { method, query }: Pick<S3Request, "method" | "query">,
  request: Request,
): Promise<Response> {
  if (method === "PUT") {
    const number = Number(query.get("partNumber"));
    const etag = bucket.putPart(upload, number, await SparseBytes.of(request.body), request.headers);
    return new Response(null, { headers: { etag: `"${etag}"` } });
  }
  if (method === "POST") {
    const tags = [...(await request.text()).matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part]): [number, string] => [
      Number(/<PartNumber>(\d+)</.exec(part)?.[1]),
      /([0-9a-f]{32})/.exec(part)?.[1] ?? "",
    ]);
    const { etag } = bucket.complete(upload, tags, request.headers);
    if (bucket.takeLoss()) throw new S3Failure(500, "InternalError", "The answer was lost.");
    return xml("CompleteMultipartUploadResult", `<ETag>"${etag}"</ETag>`);
  }
  if (method === "DELETE") {
    bucket.uploads.delete(upload.id);
    return new Response(null, { status: 204 });
  }
  const parts = [...upload.parts].map(([number, { bytes, etag }]) =>
    `<Part><PartNumber>${number}</PartNumber><Size>${bytes.size}</Size><ETag>"${etag}"</ETag></Part>`
  );
  return xml("ListPartsResult", parts.join(""));
}

function read(object: StoredObject, method: string, query: URLSearchParams, range: string | null): Response {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  const start = Number(first ?? 0);
  const end = last ? Math.min(object.size, Number(last) + 1) : object.size;
  if (first !== undefined && start >= object.size) {
    throw new S3Failure(416, "InvalidRange", "The requested range is not satisfiable");
  }
  const headers = new Headers({
    ...object.headers,
    "content-length": String(end - start),
    "last-modified": object.modified.toUTCString(),
    etag: `"${object.etag}"`,
  });
  if (first !== undefined) headers.set("content-range", `bytes ${start}-${end - 1}/${object.size}`);
  for (const name of ["content-type", "content-disposition"]) {
    const asked = query.get(`response-${name}`);
    if (asked !== null) headers.set(name, asked);
  }
  const body = method === "HEAD" ? null : ReadableStream.from(bytesOf(object, start, end));
  return new Response(body, { status: first === undefined ? 200 : 206, headers });
}

function* bytesOf({ parts }: StoredObject, start: number, end: number): Generator<Uint8Array<ArrayBuffer>> {
  let offset = 0;
  for (const part of parts) {
    const [from, to] = [Math.max(0, start - offset), Math.min(part.size, end - offset)];
    if (from < to) yield* part.slice(from, to);
    offset += part.size;
  }
}

function xml(name: string, content: string): Response {
  return new Response(`<?xml version="1.0" encoding="UTF-8"?><${name}>${content}</${name}>`, {
    headers: { "content-type": "application/xml" },
  });
}

function escape(text: string): string {
  return text.replace(/[&<>"']|[^\x20-\x7e]/gu, (c) => `&#${c.codePointAt(0)};`);
}
