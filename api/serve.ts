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

/** Before a listener that failed is opened again, in ms. */
const REOPEN_MS = 250;

/**
 * Opens the port, and opens it again where it fails later: `Deno.serve` gives up for good at the first connection that it cannot
 * accept, as where clients hold as many as the process may have open files.
 * @throws ListenError
 */
export function listen(options: ServeOptions): Listener {
  const { host, logger } = options;
  let server = open(options);
  const { port } = server.addr;
  let isStopping = false;

  const keepOpen = async () => {
    while (!isStopping) {
      try {
        await server.finished;
      } catch (error) {
        logger.error("the listener failed and is opened again", { error });
      }
      for (let isOpen = false; !isOpen && !isStopping;) {
        await new Promise((resolve) => setTimeout(resolve, REOPEN_MS));
        if (!isStopping) isOpen = reopen();
      }
    }
  };
  const reopen = (): boolean => {
    try {
      server = open({ ...options, port });
      return true;
    } catch (error) {
      logger.error("the listener could not be opened again", { error });
      return false;
    }
  };
  void keepOpen();

  return {
    url: urlOf(host, port),
    stop() {
      isStopping = true;
      return server.shutdown();
    },
  };
}

/** @throws ListenError */
function open({ fetch, host, port, logger }: ServeOptions): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({
      hostname: host,
      port,
      onListen() {},
      onError(error) {
        logger.error("a request failed outside the app", { error });
        return new Response(null, { status: 500 });
      },
    }, (request, info) => fetch(request, info));
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
