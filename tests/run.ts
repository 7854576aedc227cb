/**
 * The gate: format, lint, types, then every test, as many processes at a time as there are processors. Prints what each prints
 * and, as its last line, `N passed, N failed`: each of the first three steps counts as one. Before it stand the tests that
 * could not run here; their names say why. Ends with 1 where anything failed. Arguments go to `deno test`, for a part of them.
 */
import { glob } from "node:fs/promises";

/** Begun first, each file in a process of its own, since they take longest. */
const SLOWEST = "tests/faults/";
/** Test files of another process: few enough that the last ones to end are not long, many enough that starting costs little. */
const FILES_A_PROCESS = 6;
const ORDER = [SLOWEST, "tests/integration/", "tests/", "engine/database/", "engine/"];

let passed = 0;
let failed = 0;
const skipped: string[] = [];

/** Runs this Deno with arguments and returns all that it printed. */
async function deno(args: string[]): Promise<{ ok: boolean; output: string }> {
  const child = new Deno.Command(Deno.execPath(), { args, env: { NO_COLOR: "1" }, stdout: "piped", stderr: "piped" })
    .spawn();
  let output = "";
  const drain = async (from: ReadableStream<Uint8Array>) => {
    for await (const text of from.pipeThrough(new TextDecoderStream())) output += text;
  };
  await Promise.all([drain(child.stdout), drain(child.stderr)]);
  return { ok: (await child.status).success, output };
}

async function print(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) written += await Deno.stdout.write(bytes.subarray(written));
}

/** Runs `deno test`; returns its output where that is to be shown at the end, as something failed. */
async function runTests(args: string[]): Promise<string> {
  const { ok, output } = await deno(["test", "-A", "--no-check", ...args]);
  const summary = output.match(/(\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed(?: \(\d+ steps?\))?/);
  passed += Number(summary?.[1] ?? 0);
  failed += Number(summary?.[2] ?? 0);
  if (!ok && Number(summary?.[2] ?? 0) === 0) failed++;
  for (const [, name] of output.matchAll(/^(.*?) \.\.\. .*ignored/gm)) skipped.push(name);
  if (!ok) return output;
  await print(output);
  return "";
}

async function testFiles(): Promise<string[]> {
  const files = await Array.fromAsync(glob("**/*_test.ts", { exclude: ["node_modules", "data"] }));
  const rank = (path: string) => (ORDER.findIndex((start) => path.startsWith(start)) + 1) || Infinity;
  return files.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

for (const step of ["fmt", "lint", "check"]) {
  const { ok, output } = await deno(step === "fmt" ? ["fmt", "--check", "--quiet"] : [step, "--quiet"]);
  await print(`${output}deno ${step}: ${ok ? "ok" : "FAILED"}\n`);
  if (ok) passed++;
  else failed++;
}

const batches: string[][] = [];
if (Deno.args.length > 0) batches.push(Deno.args);
else {
  const files = await testFiles();
  while (files.length > 0) batches.push(files.splice(0, files[0].startsWith(SLOWEST) ? 1 : FILES_A_PROCESS));
}
const failures: string[] = [];
await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, async () => {
  for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) failures.push(await runTests(batch));
}));
for (const output of failures) await print(output);
for (const name of skipped) await print(`SKIPPED: ${name}\n`);
await print(`${passed} passed, ${failed} failed\n`);
Deno.exit(failed > 0 ? 1 : 0);
