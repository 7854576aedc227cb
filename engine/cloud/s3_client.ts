import type { S3Client } from "@aws-sdk/client-s3";
import type { S3Location } from "./object_store.ts";

export type S3Sdk = typeof import("@aws-sdk/client-s3");

export interface S3Access {
  sdk: S3Sdk;
  client: S3Client;
}

/** Sockets to one endpoint, of each thread. */
const SOCKETS = 32;
const CONNECT_MS = 10_000;

const clients = new Map<string, Promise<S3Access>>();

/** The thread's client of an endpoint; the SDK is loaded for the first. Credentials are the SDK's own matter. */
export function s3Client({ endpoint, region, forcePathStyle = false }: S3Location): Promise<S3Access> {
  const name = JSON.stringify([endpoint, region, forcePathStyle]);
  let client = clients.get(name);
  if (client === undefined) clients.set(name, client = connect({ endpoint, region, forcePathStyle }));
  return client;
}

async function connect(
  { endpoint, region, forcePathStyle }: { endpoint?: string; region?: string; forcePathStyle: boolean },
): Promise<S3Access> {
  const sdk = await import("@aws-sdk/client-s3");
  const chosen = region ?? (endpoint === undefined ? undefined : "us-east-1");
  const client = new sdk.S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(chosen === undefined ? {} : { region: chosen }),
    forcePathStyle,
    // One policy retries: the store's.
    maxAttempts: 1,
    // What fails is thrown; the SDK's own words would go to the console.
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
    // Content-MD5 is what every service checks.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: handler(await import("@smithy/fetch-http-handler"), await import("@smithy/node-http-handler")),
  });
  // The body's MD5 is signed with the headers; hashing the body a second time would protect nothing more.
  client.middlewareStack.add((next) => (input) => {
    const { request } = input as { request?: { method: string; headers: Record<string, string>; body?: unknown } };
    if (request?.method === "PUT" && request.headers["content-md5"] !== undefined) {
      request.headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD";
    }
    return next(input);
  }, { step: "build", name: "unsignedPayload", priority: "low" });
  return { sdk, client };
}

type Handler = S3Client["config"]["requestHandler"];

/** Whatever is read comes by `fetch`, a third faster here; what is sent goes by Node's client, in half of the time and memory. */
function handler(
  { FetchHttpHandler }: typeof import("@smithy/fetch-http-handler"),
  { NodeHttpHandler }: typeof import("@smithy/node-http-handler"),
): Handler {
  const agent = { keepAlive: true, maxSockets: SOCKETS };
  const node = new NodeHttpHandler({ connectionTimeout: CONNECT_MS, httpAgent: agent, httpsAgent: agent });
  const web = new FetchHttpHandler({ keepAlive: false });
  return {
    handle: (request, options) =>
      request.method === "GET" ? web.handle(request, options) : node.handle(request, options),
    destroy() {
      node.destroy();
      web.destroy();
    },
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
  };
}
