/** What a command says: its result on stdout, how far it is and what went wrong on stderr; with `--json` all as lines of JSON on stdout. */
import type { ProgressUpdate } from "../engine/jobs/mod.ts";
import { printable } from "./format.ts";
import { ProgressBar } from "./progress_bar.ts";

const JSON_PROGRESS_MS = 500;

export interface Output {
  progress(update: ProgressUpdate): void;
  /** A line of a list that is too long to be held, such as a difference. */
  item(type: string, value: object, line: string): void;
  result(value: object, lines: string[]): void;
  /** Something that does not end the command: in JSON it is a part of the result. */
  warn(line: string): void;
  error(error: { errorCode: string; message: string; details: string }): void;
}

export function jsonOutput(): Output {
  let nextProgress = 0;
  const write = (value: object) => writeAll(Deno.stdout, `${JSON.stringify(value)}\n`);
  return {
    progress(update) {
      const now = performance.now();
      if (now < nextProgress) return;
      nextProgress = now + JSON_PROGRESS_MS;
      write({ type: "progress", ...update });
    },
    item: (type, value) => write({ type, ...value }),
    result: (value) => write({ type: "result", ...value }),
    warn: () => {},
    error: (error) => write({ type: "error", ...error }),
  };
}

export function textOutput(): Output {
  const bar = Deno.stderr.isTerminal() ? new ProgressBar() : undefined;
  const write = (to: typeof Deno.stdout | typeof Deno.stderr, line: string) => {
    bar?.hide();
    writeAll(to, `${printable(line)}\n`);
  };
  return {
    progress: (update) => bar?.update(update),
    item: (_type, _value, line) => write(Deno.stdout, line),
    result: (_value, lines) => lines.forEach((line) => write(Deno.stdout, line)),
    warn: (line) => write(Deno.stderr, line),
    error: ({ message, details }) => write(Deno.stderr, `${message}: ${details}`),
  };
}

function writeAll(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += to.writeSync(bytes.subarray(at));
}
