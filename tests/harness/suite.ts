/** One server for all tests of a file: starting one for each would take longer than the tests themselves. */
import { type Server, type StartOptions, startServer } from "./server.ts";

/** Registers the file's hooks; the function returned gives the server, from within a test. */
export function sharedServer(options: StartOptions = {}): () => Server {
  let server: Server | undefined;
  Deno.test.beforeAll(async () => {
    server = await startServer(options);
  });
  Deno.test.afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });
  return () => {
    if (server === undefined) throw new Error("Cannot use the server: it did not start");
    return server;
  };
}
