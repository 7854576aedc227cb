/** An error as S3 answers it. */
export class S3Failure extends Error {
  constructor(readonly status: number, readonly code: string, message: string) {
    super(message);
  }

  answer(method: string): Response {
    const xml = `<Error><Code>${this.code}</Code><Message>${this.message}</Message></Error>`;
    return new Response(method === "HEAD" ? null : xml, { status: this.status });
  }
}
