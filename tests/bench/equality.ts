import { run } from "./command.ts";

/**
 * Throws unless two directories are equal. With rsync: names, contents by checksum, types, modes, owners, times, links and
 * hard links; without it, names and contents.
 * @param directoryTimes whether those of directories count
 */
export async function assertEqual(
  source: string,
  target: string,
  signal: AbortSignal,
  { directoryTimes = true } = {},
): Promise<void> {
  let differences: string;
  try {
    const times = directoryTimes ? [] : ["--omit-dir-times"];
    const argv = ["rsync", "-aHnic", ...times, "--delete", `${source}/`, `${target}/`];
    differences = (await run(argv, { signal, capture: true })).stdout;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const argv = ["diff", "-rq", "--no-dereference", source, target];
    differences = (await run(argv, { signal, capture: true, accept: [0, 1] })).stdout;
  }
  if (differences !== "") {
    const lines = differences.trimEnd().split("\n");
    throw new Error(`The target differs from the source in ${lines.length} places:\n${lines.slice(0, 20).join("\n")}`);
  }
}
