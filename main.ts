/** The program's start: the server, or a command of the command line, each loaded only where it is wanted. */
if (Deno.args.length === 0) {
  const { serve } = await import("./cli/serve.ts");
  await serve();
} else {
  const { runCommandLine } = await import("./cli/mod.ts");
  const code = await runCommandLine(Deno.args);
  if (code !== undefined) Deno.exit(code);
}
