/** A directory of its own for one server: what it may reach, its state and its log. */
import { command } from "./command.ts";

export interface Sandbox extends AsyncDisposable {
  /** Holds everything else. */
  readonly home: string;
  /** The only root that the server may reach. */
  readonly root: string;
  readonly dataDir: string;
  /** Beside the root: nothing that the server does may touch it. */
  readonly outside: string;
}

/** Makes the directories; disposing of the sandbox removes them, whatever their depth and names. */
export async function makeSandbox(): Promise<Sandbox> {
  const home = await Deno.realPath(await Deno.makeTempDir({ prefix: "syncline-test-" }));
  const sandbox = { home, root: `${home}/root`, dataDir: `${home}/data`, outside: `${home}/outside` };
  await Deno.mkdir(sandbox.root);
  await Deno.mkdir(sandbox.outside);
  return {
    ...sandbox,
    async [Symbol.asyncDispose]() {
      await command("rm", ["-rf", "--", home]);
    },
  };
}
