/** The command line in a process of its own, as a user runs it. */
import assert from "node:assert/strict";
import type { Json } from "./server.ts";
import { PROJECT } from "./server_process.ts";

export interface CommandLineOptions {
  cwd?: string;
  env?: Record<string, string>;
}

export interface CommandLineResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `main.ts` with arguments, under the permission set of deno.json. */
export async function syncline(args: string[], options: CommandLineOptions = {}): Promise<CommandLineResult> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-P", `${PROJECT}main.ts`, ...args],
    cwd: options.cwd,
    env: { NO_COLOR: "1", ...options.env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs a command with `--json` that must end with this exit code; returns its lines. */
export async function synclineJson(args: string[], code = 0, options: CommandLineOptions = {}): Promise<Json[]> {
  const result = await syncline([...args, "--json"], options);
  assert.equal(result.code, code, `${args.join(" ")}: ${result.stdout}${result.stderr}`);
  return result.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** As {@link synclineJson}: the last line, which is the result or the error. */
export async function synclineResult(args: string[], code = 0, options: CommandLineOptions = {}): Promise<Json> {
  const last = (await synclineJson(args, code, options)).at(-1);
  assert.equal(last.type, code === 0 || code === 3 ? "result" : "error", JSON.stringify(last));
  return last;
}
