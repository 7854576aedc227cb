import { networkError, retryAfterMs, statusError } from "./network_error.ts";
import { StoreError, type StoreErrorKind } from "./object_store.ts";

const CREDENTIALS = "set AZURE_STORAGE_CONNECTION_STRING to one that may use it";

/** What a code of the service means, and whether another try makes sense. */
const CODES: Record<string, [StoreErrorKind, boolean]> = {
  BlobNotFound: ["not-found", false],
  ResourceNotFound: ["not-found", false],
  // Whoever stores a blob throws away the blocks of all others that are at it.
  InvalidBlockList: ["not-found", false],
  ContainerNotFound: ["unavailable", false],
  ContainerDisabled: ["unavailable", false],
  ContainerBeingDeleted: ["unavailable", true],
  AccountIsDisabled: ["denied", false],
  AuthenticationFailed: ["denied", false],
  AuthorizationFailure: ["denied", false],
  AuthorizationPermissionMismatch: ["denied", false],
  InsufficientAccountPermissions: ["denied", false],
  BlobAlreadyExists: ["exists", false],
  ConditionNotMet: ["exists", false],
  TargetConditionNotMet: ["exists", false],
  UnsupportedHttpVerb: ["invalid", false],
  InvalidRange: ["invalid", false],
  InvalidResourceName: ["invalid", false],
  InvalidUri: ["invalid", false],
  InvalidInput: ["invalid", false],
  InvalidMetadata: ["invalid", false],
  MetadataTooLarge: ["invalid", false],
  Md5Mismatch: ["damaged", true],
  Crc64Mismatch: ["damaged", true],
  ServerBusy: ["unavailable", true],
  OperationTimedOut: ["unavailable", true],
  InternalError: ["unavailable", true],
};

interface ServiceError extends Error {
  statusCode?: number;
  code?: string;
  details?: { errorCode?: string };
  response?: { headers?: { get(name: string): string | undefined } };
}

/** An error of the Azure SDK as a store says it. @param what the key or the container; `place` as the store's description. */
export function azureError(error: unknown, what: string, place: string): unknown {
  if (!(error instanceof Error) || error instanceof StoreError) return error;
  const { statusCode: status, code, details, response } = error as ServiceError;
  if (status === undefined) return networkError(error, place);
  const header = response?.headers?.get("retry-after");
  const options = { cause: error, retryAfterMs: retryAfterMs(header) };
  const name = details?.errorCode ?? response?.headers?.get("x-ms-error-code") ?? code ?? "";
  const [kind, retry] = CODES[name] ?? [undefined, false];
  const words = `${name || "no code"}, status ${status}`;
  if (name === "ContainerNotFound") {
    return new StoreError("unavailable", `${place}: there is no such container`, false, options);
  }
  if (kind === "not-found" || kind === undefined && status === 404) {
    return new StoreError("not-found", `There is no ${what} in ${place}`, false, options);
  }
  if (kind === "denied" || kind === undefined && (status === 401 || status === 403)) {
    const isWrong = name === "AuthenticationFailed";
    const advice = isWrong ? "the credentials are wrong" : "no permission";
    return new StoreError("denied", `${place}: ${advice}; ${CREDENTIALS} (${words})`, false, options);
  }
  if (kind !== undefined) return new StoreError(kind, `${place}: ${what}: ${words}`, retry, options);
  // The service names its reason in a header. Without one it is the HTTP server that did not understand what came over this
  // connection, as after a request that was cut off, and has closed it.
  if (name === "" && status === 400) return new StoreError("unavailable", `${place}: ${what}: ${words}`, true, options);
  return statusError(status, `${place}: ${what}: ${words}`, options);
}
