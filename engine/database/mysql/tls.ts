import type { SslOptions } from "mysql2";
import { DatabaseError } from "../error.ts";
import type { ConnectionSpec } from "../types.ts";

/** What `sslmode` means for a connection; undefined for one without encryption. */
export async function tlsOptions(spec: ConnectionSpec): Promise<SslOptions | undefined> {
  if (spec.ssl === "disable") return undefined;
  const verify = spec.ssl === "verify-ca" || spec.ssl === "verify-full";
  const ca = spec.sslRootCertificate === undefined ? undefined : await readCertificate(spec.sslRootCertificate);
  return {
    rejectUnauthorized: verify,
    verifyIdentity: spec.ssl === "verify-full",
    ...(ca === undefined ? {} : { ca }),
  };
}

async function readCertificate(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new DatabaseError("connection", `the certificate authority's file cannot be read: ${why}`);
  }
}
