/**
 * The gate: format, lint, types, then every test. Prints what each step prints and, as its last line, `N passed, N failed`:
 * each of the first three steps counts as one. Before it stand the
 * tests that could not run here; their names say why. Ends with 1 where anything failed.
 */

let passed = 0;
let failed = 0;

/** Runs this Deno with arguments, prints its output as it comes and returns it. */
async function deno(args: string[]): Promise<{ ok: boolean; output: string }> {
  const child = new Deno.Command(Deno.execPath(), { args, env: { NO_COLOR: "1" }, stdout: "piped", stderr: "piped" })
    .spawn();
  let output = "";
  const drain = async (from: ReadableStream<Uint8Array>, to: { write(bytes: Uint8Array): Promise<number> }) => {
    const decoder = new TextDecoder();
    for await (const bytes of from) {
      output += decoder.decode(bytes, { stream: true });
      for (let written = 0; written < bytes.length;) written += await to.write(bytes.subarray(written));
    }
  };
  await Promise.all([drain(child.stdout, Deno.stdout), drain(child.stderr, Deno.stderr)]);
  return { ok: (await child.status).success, output };
}

for (const step of [["fmt", "--check", "--quiet"], ["lint", "--quiet"], ["check", "--quiet"]]) {
  const { ok } = await deno(step);
  await Deno.stdout.write(new TextEncoder().encode(`deno ${step[0]}: ${ok ? "ok" : "FAILED"}\n`));
  if (ok) passed++;
  else failed++;
}

const { ok, output } = await deno(["test", "-A", "--no-check", ...Deno.args]);
const summary = output.match(
  /(\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed(?: \(\d+ steps?\))?/,
);
passed += Number(summary?.[1] ?? 0);
failed += Number(summary?.[2] ?? 0);
if (!ok && (summary === null || Number(summary[2]) === 0)) failed++;
const skipped = output.split("\n").filter((line) => / \.\.\. .*ignored/.test(line));
const lines = skipped.map((line) => `SKIPPED: ${line.replace(/ \.\.\. .*/, "")}`);
lines.push(`${passed} passed, ${failed} failed`);
await Deno.stdout.write(new TextEncoder().encode(`${lines.join("\n")}\n`));
Deno.exit(failed > 0 ? 1 : 0);
