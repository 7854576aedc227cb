/** `deno task bench SUITE [directory]`: measures what the README claims. Each suite explains itself with `--help`. */
import { UsageError } from "./options.ts";
import { print, progress } from "./print.ts";

/** A suite's usage, and how it runs: undefined where help was asked for, else whether all bounds hold. */
interface Suite {
  usage: string;
  run(args: string[], signal: AbortSignal): Promise<boolean | undefined>;
}

const SUITES: Record<string, () => Promise<Suite>> = {
  async files() {
    const { benchFiles, USAGE } = await import("./files_bench.ts");
    return { usage: USAGE, run: benchFiles };
  },
  async backup() {
    const { benchBackup, USAGE } = await import("./backup/bench.ts");
    return { usage: USAGE, run: benchBackup };
  },
  async webhooks() {
    const { benchWebhooks, USAGE } = await import("./webhooks/bench.ts");
    return { usage: USAGE, run: benchWebhooks };
  },
  async cloud() {
    const { benchCloud, USAGE } = await import("./cloud/bench.ts");
    return { usage: USAGE, run: benchCloud };
  },
  async merge() {
    const { benchMerge, USAGE } = await import("./merge/bench.ts");
    return { usage: USAGE, run: benchMerge };
  },
  async reconcile() {
    const { benchReconcile, USAGE } = await import("./reconcile/bench.ts");
    return { usage: USAGE, run: benchReconcile };
  },
  async database() {
    const { benchDatabase, USAGE } = await import("./database/bench.ts");
    return { usage: USAGE, run: benchDatabase };
  },
};

async function main(args: string[]): Promise<number> {
  const controller = new AbortController();
  const interrupt = () => controller.abort(new Error("interrupted"));
  Deno.addSignalListener("SIGINT", interrupt);
  Deno.addSignalListener("SIGTERM", interrupt);
  const name = args.find((arg) => !arg.startsWith("-"));
  const load = name === undefined ? undefined : SUITES[name];
  if (load === undefined) {
    progress(`Cannot run the suite ${name ?? "without a name"}: there are ${Object.keys(SUITES).join(" and ")}`);
    return 1;
  }
  const suite = await load();
  try {
    const holds = await suite.run(args, controller.signal);
    if (holds === undefined) print(suite.usage);
    return holds === false ? 2 : 0;
  } catch (error) {
    if (error instanceof UsageError) progress(`${error.message}\n\n${suite.usage}`);
    else progress(controller.signal.aborted ? "interrupted" : `The bench failed: ${describe(error)}`);
    return 1;
  }
}

function describe(error: unknown): string {
  if (error instanceof SuppressedError) return `${describe(error.suppressed)}\nand then: ${describe(error.error)}`;
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\ncaused by: ${describe(error.cause)}`;
}

Deno.exit(await main(Deno.args));
