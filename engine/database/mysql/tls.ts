import type { SslOptions } from "mysql2";
import { isIP } from "node:net";
import { DatabaseError } from "../error.ts";
import type { ConnectionSpec } from "../types.ts";

/** What `sslmode` means for a connection; undefined for one without encryption. */
export async function tlsOptions(spec: ConnectionSpec): Promise<SslOptions | undefined> {
  if (spec.ssl === "disable") return undefined;
  if (spec.ssl === "verify-full" && isIP(spec.host ?? "") !== 0) {
    // The client would check the certificate for another name.
    throw new DatabaseError(
      "connection",
      "verify-full needs the server's name in place of an address; or take verify-ca",
    );
  }
  const ca = spec.sslRootCertificate === undefined ? undefined : await readCertificate(spec.sslRootCertificate);
  // As libpq: an authority that is named is asked, also where only encryption is.
  const verify = spec.ssl.startsWith("verify") || spec.ssl === "require" && ca !== undefined;
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
