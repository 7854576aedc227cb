import assert from "node:assert/strict";
import { getRequest, HttpConnection } from "./http_connection.ts";

async function withServer(handler: Deno.ServeHandler, body: (port: number) => Promise<void>): Promise<void> {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
  await body(server.addr.port);
}

Deno.test("HttpConnection: many exchanges on one connection, large answers, statuses", async () => {
  const clients = new Set<number>();
  const handler = (request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>) => {
    clients.add(info.remoteAddr.port);
    assert.equal(request.headers.get("authorization"), "Bearer secret");
    const size = Number(new URL(request.url).pathname.slice(1));
    return new Response("x".repeat(size), { status: size === 3 ? 503 : 200 });
  };
  await withServer(handler as Deno.ServeHandler, async (port) => {
    using connection = await HttpConnection.open(port);
    for (const size of [0, 1, 3, 20_000, 100_000, 5]) {
      const status = await connection.exchange(getRequest(`/${size}`, port, "secret"));
      assert.equal(status, size === 3 ? 503 : 200);
    }
  });
  assert.equal(clients.size, 1);
});

Deno.test("HttpConnection refuses an answer whose end it cannot know", async () => {
  const stream = () => new Response(new Blob(["abc"]).stream().pipeThrough(new TransformStream()));
  await withServer(stream, async (port) => {
    using connection = await HttpConnection.open(port);
    await assert.rejects(connection.exchange(getRequest("/", port, "secret")), /Content-Length/);
  });
});

Deno.test("HttpConnection reports a closed connection", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const closing = (async () => {
    using socket = await listener.accept();
    await socket.read(new Uint8Array(1024));
  })();
  using connection = await HttpConnection.open(listener.addr.port);
  await assert.rejects(connection.exchange(getRequest("/", 1, "secret")), /closed the connection/);
  await closing;
});
