import { StoreError } from "./object_store.ts";

const LOST = new Set([
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ECONNABORTED",
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);
const CERTIFICATE = /certificate|self.signed|UnknownIssuer|CERT_/i;

/** What failed before there was an answer: no connection, no such host, a connection that was cut. */
export function networkError(error: unknown, place: string): StoreError {
  const { code, message, name } = findCode(error);
  const options = { cause: error };
  if (code === "ENOTFOUND" || /failed to lookup address|getaddrinfo/i.test(message)) {
    return new StoreError("unavailable", `${place} cannot be reached: its host's name is not known`, true, options);
  }
  if (code === "ECONNREFUSED" || /connection refused/i.test(message)) {
    return new StoreError("unavailable", `${place} cannot be reached: the connection was refused`, true, options);
  }
  if (CERTIFICATE.test(message)) {
    return new StoreError("unavailable", `${place} cannot be trusted: ${message}`, false, options);
  }
  const words = LOST.has(code ?? "") ? "the connection was lost" : `${message || code || name}`;
  return new StoreError("unavailable", `${place} cannot be reached: ${words}`, true, options);
}

/** The system's code where there is one, and the words of the error and of what caused it. */
function findCode(error: unknown): { code: string | undefined; message: string; name: string } {
  if (!(error instanceof Error)) return { code: undefined, message: String(error), name: "Error" };
  let code: string | undefined;
  const messages: string[] = [];
  for (let at: unknown = error; at instanceof Error && messages.length < 8; at = at.cause) {
    const given = (at as { code?: unknown }).code;
    if (code === undefined && typeof given === "string" && /^E[A-Z]+$/.test(given)) code = given;
    if (at.message !== "") messages.push(at.message);
  }
  return { code, message: messages.join(": "), name: error.name };
}

/** What an answer's status alone says, where its body says nothing that is known. */
export function statusError(
  status: number,
  message: string,
  options: ErrorOptions & { retryAfterMs?: number },
): StoreError {
  if (status === 401 || status === 403) return new StoreError("denied", message, false, options);
  if (status === 404) return new StoreError("not-found", message, false, options);
  if (status === 409) return new StoreError("unavailable", message, true, options);
  if (status === 412) return new StoreError("exists", message, false, options);
  if (status === 416) return new StoreError("invalid", message, false, options);
  if (status === 507) return new StoreError("full", message, false, options);
  const isPassing = status >= 500 && status !== 501 || status === 408 || status === 429;
  return new StoreError("unavailable", message, isPassing, options);
}

/** The wait that a `Retry-After` asks for, in ms: seconds or a date. */
export function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
