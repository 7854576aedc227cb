/** Uploads in parts that were begun and not brought to an end. */
import type { BegunUploads, Upload } from "./remote_driver.ts";
import type { S3Access } from "./s3_client.ts";

/** Those that are meant. */
export async function begunUploads(
  access: S3Access,
  bucket: string,
  { prefix, isKey = false, before, after = new Date(0) }: BegunUploads,
  signal: AbortSignal,
): Promise<Upload[]> {
  const found: Upload[] = [];
  for await (const page of pages(access, { Bucket: bucket, Prefix: prefix }, signal)) {
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if (Key === undefined || UploadId === undefined || Initiated === undefined) continue;
      if (Initiated >= before || Initiated < after || isKey && Key !== prefix) continue;
      found.push({ key: Key, id: UploadId });
    }
  }
  return found;
}

async function* pages(
  { sdk, client }: S3Access,
  request: { Bucket: string; Prefix: string },
  abortSignal: AbortSignal,
) {
  let markers: { KeyMarker?: string; UploadIdMarker?: string } = {};
  for (;;) {
    const page = await client.send(new sdk.ListMultipartUploadsCommand({ ...request, ...markers }), { abortSignal });
    yield page;
    if (!page.IsTruncated) return;
    markers = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  }
}

/** Of the parts that have arrived. */
export async function partBytes(
  { sdk, client }: S3Access,
  bucket: string,
  { key, id }: Upload,
  abortSignal: AbortSignal,
): Promise<number> {
  let bytes = 0;
  const request = { Bucket: bucket, Key: key, UploadId: id };
  for await (const page of sdk.paginateListParts({ client }, request, { abortSignal })) {
    for (const { Size = 0 } of page.Parts ?? []) bytes += Size;
  }
  return bytes;
}
