/** Signature Version 4 as a service checks it, of headers and of presigned links. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";
import { S3Failure } from "./failure.ts";

const ALGORITHM = "AWS4-HMAC-SHA256";
/** How far the clocks may be apart, in ms. */
const SKEW_MS = 900_000;

interface Claim {
  credential: string;
  signedHeaders: string;
  signature: string;
  date: string;
  payload: string;
  /** Of a link: seconds for which it is good. */
  expires?: number;
}

/**
 * Refuses a request that is not signed by one of the keys.
 * @param secrets by access key.
 * @throws S3Failure
 */
export function checkSignature(request: Request, url: URL, secrets: Record<string, string>): void {
  const claim = claimOf(request, url);
  const [accessKey, day, region, service] = claim.credential.split("/");
  const secret = secrets[accessKey];
  if (secret === undefined) throw new S3Failure(403, "InvalidAccessKeyId", "The access key is not known.");
  const signedAt = Date.parse(claim.date.replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5"));
  if (claim.expires !== undefined && Date.now() > signedAt + claim.expires * 1000) {
    throw new S3Failure(403, "AccessDenied", "Request has expired");
  }
  if (claim.expires === undefined && Math.abs(Date.now() - signedAt) > SKEW_MS) {
    throw new S3Failure(403, "RequestTimeTooSkewed", "The clocks are too far apart.");
  }
  const scope = `${day}/${region}/${service}/aws4_request`;
  const hash = createHash("sha256").update(canonical(request, url, claim)).digest("hex");
  const toSign = [ALGORITHM, claim.date, scope, hash].join("\n");
  const key = [day, region, service, "aws4_request"].reduce<Buffer | string>(hmac, `AWS4${secret}`);
  const [expected, given] = [hmac(key, toSign), Buffer.from(claim.signature, "hex")];
  if (given.length === expected.length && timingSafeEqual(given, expected)) return;
  throw new S3Failure(403, "SignatureDoesNotMatch", "The signature is another.");
}

function claimOf(request: Request, url: URL): Claim {
  const query = url.searchParams;
  if (query.has("X-Amz-Signature")) {
    const get = (name: string) => query.get(`X-Amz-${name}`) ?? "";
    return {
      credential: get("Credential"),
      signedHeaders: get("SignedHeaders"),
      signature: get("Signature"),
      date: get("Date"),
      payload: "UNSIGNED-PAYLOAD",
      expires: Number(get("Expires")),
    };
  }
  const header = request.headers.get("authorization") ?? "";
  const match = new RegExp(`^${ALGORITHM} Credential=(.+), SignedHeaders=(.+), Signature=([0-9a-f]+)$`).exec(header);
  if (match === null) throw new S3Failure(403, "AccessDenied", "Access Denied");
  const [, credential, signedHeaders, signature] = match;
  return {
    credential,
    signedHeaders,
    signature,
    date: request.headers.get("x-amz-date") ?? "",
    payload: request.headers.get("x-amz-content-sha256") ?? "",
  };
}

function canonical(request: Request, url: URL, { signedHeaders, payload }: Claim): string {
  const query = [...url.searchParams].filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => `${encode(name)}=${encode(value)}`).sort().join("&");
  const path = url.pathname.split("/").map((part) => encode(decodeURIComponent(part))).join("/");
  const headers = signedHeaders.split(";").map((name) => `${name}:${request.headers.get(name)?.trim() ?? ""}\n`);
  return [request.method, path, query, headers.join(""), signedHeaders, payload].join("\n");
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
