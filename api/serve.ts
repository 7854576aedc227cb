/** The listening server around the app. */
import type { Fetch } from "./envelope.ts";
import type { Logger } from "./logging.ts";

export interface ServeOptions {
  fetch: Fetch;
  host: string;
  /** 0: any free port. */
  port: number;
  logger: Logger;
}

export interface Listener {
  /** As a client on this machine writes it, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Takes no more connections and resolves once every answer under way has ended; never rejects. */
  stop(): Promise<void>;
}

/** A server that cannot listen where it was told. Its message is one line. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

/** @throws ListenError */
export function listen({ fetch, host, port, logger }: ServeOptions): Listener {
  try {
    const server = Deno.serve({
      hostname: host,
      port,
      onListen() {},
      onError(error) {
        logger.error("a request failed outside the app", { error });
        return new Response(null, { status: 500 });
      },
    }, (request, info) => fetch(request, info));
    return { url: urlOf(host, server.addr.port), stop: () => server.shutdown() };
  } catch (error) {
    throw new ListenError(`Cannot listen on ${host} port ${port}: ${reason(error)}`, { cause: error });
  }
}

function reason(error: unknown): string {
  if (error instanceof Deno.errors.AddrInUse) return "the port is taken by another process; set PORT";
  if (error instanceof Deno.errors.AddrNotAvailable) return "this machine does not have that address; set HOST";
  if (error instanceof Deno.errors.PermissionDenied) return "this user may not use that port; set PORT";
  return error instanceof Error ? error.message.split("\n")[0] : String(error);
}

function urlOf(host: string, port: number): string {
  if (host === "0.0.0.0") return `http://127.0.0.1:${port}`;
  if (host === "::") return `http://[::1]:${port}`;
  return host.includes(":") ? `http://[${host}]:${port}` : `http://${host}:${port}`;
}
