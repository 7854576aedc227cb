import { networkError, retryAfterMs, statusError } from "./network_error.ts";
import { StoreError, type StoreErrorKind } from "./object_store.ts";

const CREDENTIALS =
  "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or the AWS SDK's other sources) to ones that may use it";

/** What a code of the protocol means, and whether another try makes sense. */
const CODES: Record<string, [StoreErrorKind, boolean]> = {
  NoSuchKey: ["not-found", false],
  NotFound: ["not-found", false],
  NoSuchUpload: ["not-found", false],
  NoSuchBucket: ["unavailable", false],
  PreconditionFailed: ["exists", false],
  ConditionalRequestConflict: ["unavailable", true],
  OperationAborted: ["unavailable", true],
  InvalidRange: ["invalid", false],
  KeyTooLongError: ["invalid", false],
  MetadataTooLarge: ["invalid", false],
  EntityTooLarge: ["invalid", false],
  AccessDenied: ["denied", false],
  AllAccessDisabled: ["denied", false],
  InvalidAccessKeyId: ["denied", false],
  SignatureDoesNotMatch: ["denied", false],
  InvalidToken: ["denied", false],
  ExpiredToken: ["denied", true],
  RequestTimeTooSkewed: ["unavailable", true],
  BadDigest: ["damaged", true],
  InvalidDigest: ["damaged", true],
  XAmzContentSHA256Mismatch: ["damaged", true],
  IncompleteBody: ["unavailable", true],
  RequestTimeout: ["unavailable", true],
  SlowDown: ["unavailable", true],
  Throttling: ["unavailable", true],
  TooManyRequests: ["unavailable", true],
  InternalError: ["unavailable", true],
  ServiceUnavailable: ["unavailable", true],
  QuotaExceeded: ["full", false],
  XMinioStorageFull: ["full", false],
  XMinioAdminBucketQuotaExceeded: ["full", false],
};

interface ServiceError extends Error {
  Code?: string;
  $metadata?: { httpStatusCode?: number };
  $response?: { headers?: Record<string, string> };
}

/** An error of the AWS SDK as a store says it. @param what the key or the bucket; `place` as the store's description. */
export function s3Error(error: unknown, what: string, place: string): unknown {
  if (!(error instanceof Error) || error instanceof StoreError) return error;
  const { name, message, $metadata, $response } = error as ServiceError;
  if (name === "CredentialsProviderError" || name === "TokenProviderError") {
    return new StoreError("denied", `${place}: no credentials were found; ${CREDENTIALS}`, false, { cause: error });
  }
  const status = $metadata?.httpStatusCode;
  if (status === undefined) return networkError(error, place);
  const options = { cause: error, retryAfterMs: retryAfterMs($response?.headers?.["retry-after"]) };
  const known = CODES[name];
  const [kind, retry] = known ?? [undefined, false];
  const words = known === undefined && name === "Unknown" || message === "UnknownError"
    ? `the service answered with status ${status}`
    : `${message || name} (${name}, status ${status})`;
  if (name === "NoSuchBucket") {
    return new StoreError("unavailable", `${place}: there is no such bucket`, false, options);
  }
  if (kind === "not-found") return new StoreError(kind, `There is no ${what} in ${place}`, false, options);
  if (kind === "denied" || kind === undefined && (status === 401 || status === 403)) {
    const isWrong = ["InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken"].includes(name);
    const advice = isWrong ? `the credentials are wrong; ${CREDENTIALS}` : `no permission; ${CREDENTIALS}`;
    return new StoreError("denied", `${place}: ${advice}: ${words}`, retry, options);
  }
  if (kind !== undefined) return new StoreError(kind, `${place}: ${what}: ${words}`, retry, options);
  if (status === 404) return new StoreError("not-found", `There is no ${what} in ${place}`, false, options);
  return statusError(status, `${place}: ${what}: ${words}`, options);
}
