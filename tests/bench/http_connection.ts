const HEAD_END = "\r\n\r\n";

/**
 * One kept-alive HTTP/1.1 connection to this machine, a request at a time, with as little between the caller and the
 * socket as possible: what it measures is the server. Answers need a `Content-Length`.
 */
export class HttpConnection implements Disposable {
  readonly #socket: Deno.TcpConn;
  readonly #decoder = new TextDecoder("latin1");
  #buffer = new Uint8Array(16 * 1024);

  private constructor(socket: Deno.TcpConn) {
    this.#socket = socket;
  }

  static async open(port: number): Promise<HttpConnection> {
    const socket = await Deno.connect({ hostname: "127.0.0.1", port });
    socket.setNoDelay(true);
    return new HttpConnection(socket);
  }

  /** Sends a whole request and reads its whole answer. Returns the status. */
  async exchange(request: Uint8Array): Promise<number> {
    for (let at = 0; at < request.length;) at += await this.#socket.write(request.subarray(at));
    let filled = 0;
    let expected = -1;
    let status = 0;
    while (expected < 0 || filled < expected) {
      if (filled === this.#buffer.length) this.#grow();
      const count = await this.#socket.read(this.#buffer.subarray(filled));
      if (count === null) throw new Error("Cannot read the answer: the server closed the connection");
      filled += count;
      if (expected >= 0) continue;
      const text = this.#decoder.decode(this.#buffer.subarray(0, filled));
      const headLength = text.indexOf(HEAD_END);
      if (headLength < 0) continue;
      ({ status, expected } = parseHead(text, headLength));
    }
    if (filled > expected) throw new Error(`Cannot read the answer: ${filled - expected} bytes too many`);
    return status;
  }

  #grow(): void {
    const larger = new Uint8Array(this.#buffer.length * 2);
    larger.set(this.#buffer);
    this.#buffer = larger;
  }

  close(): void {
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function parseHead(text: string, headLength: number): { status: number; expected: number } {
  const head = text.slice(0, headLength);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head);
  if (!/^HTTP\/1\.1 \d{3}/.test(head) || length === null) {
    throw new Error(`Cannot read the answer: no HTTP/1.1 with a Content-Length, but ${head.slice(0, 60)}`);
  }
  return { status: Number(head.slice(9, 12)), expected: headLength + HEAD_END.length + Number(length[1]) };
}

/** A GET request of the server on `port`, ready to send. */
export function getRequest(path: string, port: number, token: string): Uint8Array {
  return new TextEncoder().encode(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\nAccept: application/json\r\n\r\n`,
  );
}
