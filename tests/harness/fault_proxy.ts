/** A connection between a client and a server that fails on purpose. */

/**
 * What happens to one connection: it is reset after some bytes in one direction, falls silent there, has one byte changed, or the first
 * request is answered with an error in the server's place; `slow` lets a piece of 16 KiB pass every few milliseconds.
 */
export type ConnectionFault =
  | { type: "none" }
  | { type: "slow"; pauseMs?: number }
  | { type: "reset" | "stall" | "damage"; direction: "up" | "down"; after: number }
  | { type: "status"; status: 500 | 503; retryAfter: number };

export interface FaultProxy extends AsyncDisposable {
  readonly url: string;
  /** Of connections that are opened from now on. */
  next: () => ConnectionFault;
  /** Bytes that have passed towards the server and back. */
  readonly passed: { up: number; down: number };
  /** Ends every connection that is open. */
  cut(): void;
}

const PIECE = 16_384;
const SLOW_MS = 2;

/** Listens on a free port for connections to another one. */
export function startFaultProxy(port: number): FaultProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${listener.addr.port}`,
    next: () => ({ type: "none" }),
    passed: { up: 0, down: 0 },
    cut() {
      for (const connection of open) end(connection);
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      proxy.cut();
      await accepting;
    },
  };
  const end = (connection: Deno.Conn) => {
    if (open.delete(connection)) connection.close();
  };
  const serve = async (client: Deno.Conn, fault: ConnectionFault) => {
    open.add(client);
    if (fault.type === "status") return await answer(client, fault).finally(() => end(client));
    const server = await Deno.connect({ hostname: "127.0.0.1", port });
    open.add(server);
    const endBoth = () => {
      end(client);
      end(server);
    };
    const count = (direction: "up" | "down", bytes: number) => proxy.passed[direction] += bytes;
    await Promise.all([
      pass(client, server, { direction: "up", fault, count, endBoth }),
      pass(server, client, { direction: "down", fault, count, endBoth }),
    ]);
  };
  const accepting = (async () => {
    const running: Promise<void>[] = [];
    for await (const client of listener) running.push(serve(client, proxy.next()).catch(ignoreClosed));
    await Promise.all(running);
  })();
  return proxy;
}

async function answer(client: Deno.Conn, { status, retryAfter }: ConnectionFault & { type: "status" }): Promise<void> {
  await client.read(new Uint8Array(PIECE));
  const lines = [
    `HTTP/1.1 ${status} No`,
    `Retry-After: ${retryAfter}`,
    "Content-Length: 0",
    "Connection: close",
    "",
    "",
  ];
  await client.write(new TextEncoder().encode(lines.join("\r\n")));
}

interface Passage {
  direction: "up" | "down";
  fault: ConnectionFault;
  count(direction: "up" | "down", bytes: number): void;
  endBoth(): void;
}

async function pass(
  from: Deno.Conn,
  to: Deno.Conn,
  { direction, fault, count: counted, endBoth }: Passage,
): Promise<void> {
  const buffer = new Uint8Array(PIECE);
  const isHere = "direction" in fault && fault.direction === direction;
  let passed = 0;
  try {
    for (;;) {
      const count = await from.read(buffer);
      if (count === null) break;
      const piece = buffer.subarray(0, count);
      if (isHere && passed + count > fault.after) {
        const at = Math.max(0, fault.after - passed);
        if (fault.type === "damage") {
          if (passed <= fault.after) piece[at] ^= 1;
        } else {
          await writeAll(to, piece.subarray(0, at));
          if (fault.type === "stall") return;
          break;
        }
      }
      await writeAll(to, piece);
      passed += count;
      counted(direction, count);
      if (fault.type === "slow") await new Promise((resolve) => setTimeout(resolve, fault.pauseMs ?? SLOW_MS));
    }
  } catch (error) {
    ignoreClosed(error);
  }
  endBoth();
}

async function writeAll(to: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}

/** The other end has gone, or this one was closed meanwhile. */
function ignoreClosed(error: unknown): void {
  const expected = [
    Deno.errors.BadResource,
    Deno.errors.Interrupted,
    Deno.errors.ConnectionReset,
    Deno.errors.BrokenPipe,
    Deno.errors.ConnectionAborted,
    Deno.errors.NotConnected,
  ];
  if (!expected.some((type) => error instanceof type)) throw error;
}
