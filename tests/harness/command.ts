/** Runs the system's own tools, which the tests trust in place of the project's code. */

export interface CommandOptions {
  cwd?: string;
  stdin?: Uint8Array<ArrayBuffer>;
}

/** Runs a command in the C locale and returns what it wrote to stdout. Throws with its stderr where it fails. */
export async function command(name: string, args: string[], options: CommandOptions = {}): Promise<Uint8Array> {
  const child = new Deno.Command(name, {
    args,
    cwd: options.cwd,
    env: { LC_ALL: "C", TZ: "UTC" },
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const feed = options.stdin === undefined ? undefined : new Blob([options.stdin]).stream().pipeTo(child.stdin);
  const [output] = await Promise.all([child.output(), feed]);
  if (!output.success) {
    throw new Error(`${name} ended with ${output.code}: ${new TextDecoder().decode(output.stderr)}`);
  }
  return output.stdout;
}

/** Like {@link command}, as text. */
export async function commandText(name: string, args: string[], options: CommandOptions = {}): Promise<string> {
  return new TextDecoder().decode(await command(name, args, options));
}

/** Runs a shell script whose `$1`, `$2`, … are `args`; the script stops at its first failing command. */
export function shell(script: string, args: string[] = [], options: CommandOptions = {}): Promise<string> {
  return commandText("sh", ["-eu", "-c", script, "sh", ...args], options);
}

/** Whether a command can be found; for tests that must say visibly that they are skipped. */
export function hasCommand(name: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((directory) => {
    try {
      return Deno.statSync(`${directory}/${name}`).isFile;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
      throw error;
    }
  });
}

/** Spread into a test that runs some commands: where one is missing it is skipped, and its name says which. */
export function withCommands(name: string, commands: string[]): { name: string; ignore: boolean } {
  const missing = commands.filter((command) => !hasCommand(command));
  if (missing.length === 0) return { name, ignore: false };
  return { name: `${name} (needs ${missing.join(", ")})`, ignore: true };
}
