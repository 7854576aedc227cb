/** What the process does at its edges: failures of the start, signals, errors that nobody caught. */
import type { Logger } from "./logging.ts";

/** Runs the start; where it fails, prints one line that says why and exits with 1. */
export async function exitOnFailure(start: () => Promise<void>): Promise<void> {
  try {
    await start();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    await Deno.stderr.write(
      new TextEncoder().encode(`Cannot start Syncline: ${reason.replaceAll(/\s*\n\s*/g, " ")}\n`),
    );
    Deno.exit(1);
  }
}

/** Stops on SIGTERM and SIGINT and exits with 0; a second signal exits at once, with 1. */
export function stopOnSignals(logger: Logger, stop: () => Promise<unknown>): void {
  let isStopping = false;
  const onSignal = async (signal: Deno.Signal) => {
    if (isStopping) Deno.exit(1);
    isStopping = true;
    logger.info("stopping", { signal });
    await stop();
    logger.info("stopped");
    await logger.flush();
    Deno.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(signal, () => void onSignal(signal));
}

/** Logs what nobody caught, which is a defect, and keeps the server running for everybody else. */
export function surviveRejections(logger: Logger): void {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    logger.error("a rejection was not handled", { error: event.reason });
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    logger.error("an error was not caught", { error: event.error });
  });
}
