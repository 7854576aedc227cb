/** Values of the protocol and of this program, turned into each other. */
import { type ObjectInfo, StoreError } from "./object_store.ts";
import type { Attributes, Body } from "./remote_driver.ts";

export function named(
  { contentType, metadata }: Attributes,
): { ContentType?: string; Metadata?: Record<string, string> } {
  return {
    ...(contentType === undefined ? {} : { ContentType: contentType }),
    ...(metadata === undefined ? {} : { Metadata: metadata }),
  };
}

export function ifFree(ifAbsent: boolean): { IfNoneMatch?: "*" } {
  return ifAbsent ? { IfNoneMatch: "*" } : {};
}

interface Tagged {
  ETag?: string | undefined;
  ServerSideEncryption?: string | undefined;
  SSECustomerAlgorithm?: string | undefined;
}

/** The MD5 that an object's tag is: not of one that came in parts, nor where its customer's keys encrypt it. */
export function md5Of({ ETag, ServerSideEncryption, SSECustomerAlgorithm }: Tagged): string | undefined {
  if (SSECustomerAlgorithm !== undefined || ServerSideEncryption?.startsWith("aws:")) return undefined;
  const tag = bare(ETag);
  return /^[0-9a-f]{32}$/.test(tag) ? tag : undefined;
}

/** @throws StoreError `damaged` where another MD5 arrived */
export function checkTag(key: string, body: Body, answer: Tagged): void {
  const arrived = md5Of(answer);
  if (arrived === undefined || arrived === body.md5.toHex()) return;
  throw new StoreError("damaged", `${key} did not arrive as it was sent`, true);
}

export function bare(etag: string | undefined): string {
  return (etag ?? "").replace(/^W\//, "").replaceAll('"', "");
}

/** Some services know milliseconds in a listing only. */
export function info(
  key: string,
  size: number | undefined,
  modified: Date | undefined,
  etag: string | undefined,
): ObjectInfo {
  const seconds = Math.floor((modified?.getTime() ?? 0) / 1000);
  return { key, size: size ?? 0, modified: new Date(seconds * 1000).toISOString(), etag: bare(etag) };
}

export function decodeKey(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}
