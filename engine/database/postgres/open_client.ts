import { Buffer } from "node:buffer";
import net from "node:net";
// @ts-types="@types/pg"
import pg from "pg";
import { DatabaseError } from "../error.ts";
import type { ConnectionSpec } from "../types.ts";
import { databaseError } from "./error.ts";

/** What {@link openClient} opens. */
export interface OpenClient {
  client: pg.Client;
  /** Ends the connection at once, whoever waits for it. */
  destroy: () => void;
}

/**
 * A client whose connection is open and that never opens another.
 *
 * `pg` and not `postgres`, which connects again by itself in the middle of a transaction, and where a COPY into a table that fails at
 * its end never ends.
 *
 * @throws DatabaseError
 */
export async function openClient(spec: ConnectionSpec, signal: AbortSignal): Promise<OpenClient> {
  if (spec.ssl === "prefer" && !isSocket(spec)) {
    try {
      return await attempt(spec, signal, { rejectUnauthorized: false });
    } catch (error) {
      if (!(error instanceof Error && error.message === NO_SSL)) throw readable(error, signal);
    }
  }
  try {
    return await attempt(spec, signal, spec.ssl === "prefer" ? false : await ssl(spec));
  } catch (error) {
    throw readable(error, signal);
  }
}

/** What `pg` says where a server has no TLS. */
const NO_SSL = "The server does not support SSL connections";

/** Asks the server to stop what a client runs; nobody tells whether it does. */
export async function cancelQuery(spec: ConnectionSpec, client: pg.Client): Promise<void> {
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
  const request = Buffer.alloc(16);
  request.writeInt32BE(16, 0);
  request.writeInt32BE(80877102, 4);
  request.writeInt32BE(processID, 8);
  request.writeInt32BE(secretKey, 12);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = isSocket(spec)
    ? net.connect(`${spec.host}/.s.PGSQL.${spec.port ?? 5432}`)
    : net.connect(spec.port ?? 5432, spec.host ?? "localhost");
  socket.setTimeout(spec.connectTimeoutMs, () => socket.destroy(new Error("no answer")));
  socket.on("error", reject);
  socket.on("close", () => resolve());
  // The server closes it when it has read the request.
  socket.on("connect", () => socket.write(request));
  await promise;
}

async function attempt(spec: ConnectionSpec, signal: AbortSignal, ssl: pg.ClientConfig["ssl"]): Promise<OpenClient> {
  signal.throwIfAborted();
  const socket = new net.Socket();
  const client = new pg.Client({
    host: spec.host ?? "localhost",
    port: spec.port ?? 5432,
    database: spec.database,
    user: spec.user ?? "postgres",
    // A function, so that neither PGPASSWORD nor a password file of this machine is sent.
    password: () => spec.password ?? "",
    ssl,
    stream: () => socket,
    connectionTimeoutMillis: spec.connectTimeoutMs,
    keepAlive: true,
    client_encoding: "UTF8",
    application_name: "syncline",
  });
  // Late ones too; what waits for an answer gets them as well.
  client.on("error", () => {});
  const stop = () => socket.destroy(new Error("stopped"));
  signal.addEventListener("abort", stop);
  try {
    await client.connect();
    return { client, destroy: () => socket.destroy() };
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function ssl(spec: ConnectionSpec): Promise<pg.ClientConfig["ssl"]> {
  if (spec.ssl === "disable" || isSocket(spec)) return false;
  if (spec.sslRootCertificate === undefined) return { rejectUnauthorized: spec.ssl.startsWith("verify") };
  const ca = await Deno.readTextFile(spec.sslRootCertificate).catch(() => {
    throw new DatabaseError("connection", `The certificate authority ${spec.sslRootCertificate} cannot be read`);
  });
  // As libpq: an authority that is named is asked, also where only encryption is.
  return spec.ssl === "verify-full" ? { ca } : { ca, checkServerIdentity: () => undefined };
}

function isSocket({ host }: ConnectionSpec): boolean {
  return host?.startsWith("/") ?? false;
}

function readable(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof Error && error.message === "timeout expired") {
    return new DatabaseError("connection", "The server did not answer in time", { aborts: true });
  }
  return databaseError(error);
}
