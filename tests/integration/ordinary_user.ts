/** A server that file modes bind, as they bind an ordinary user, also where the tests run as root. */
import { type Server, startServer } from "../harness/server.ts";

const CAPABILITIES = "-dac_override,-dac_read_search,-fowner";

/** Runs `use` with a server without root's power to read and write everything. */
export async function withoutRootsPowers(use: (server: Server) => Promise<void>): Promise<void> {
  const wrapper = Deno.uid() === 0
    ? ["setpriv", `--bounding-set=${CAPABILITIES}`, `--inh-caps=${CAPABILITIES}`, "--"]
    : [];
  await using server = await startServer({ wrapper });
  await use(server);
}
