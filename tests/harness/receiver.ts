/** A receiver of webhooks on loopback: keeps what it got, and answers as it is told. */
export interface Received {
  id: string;
  headers: Headers;
  body: string;
}

export interface Receiver extends AsyncDisposable {
  /** Ends in `/hook`. */
  readonly url: string;
  readonly received: Received[];
  /** How the next requests are answered. Default: 204. */
  answer: (request: Received) => Response | Promise<Response>;
}

export function startReceiver(): Receiver {
  const received: Received[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { headers } = request;
    const one = { id: headers.get("webhook-id") ?? "", headers, body: await request.text() };
    received.push(one);
    return await receiver.answer(one);
  });
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}/hook`,
    received,
    answer: () => new Response(null, { status: 204 }),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  return receiver;
}
