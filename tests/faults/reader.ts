/**
 * A reader in a process of its own, as users' programs are: opens files of a sealed tree's copy by their final names, at
 * random, until its stdin ends. Prints `{ read, absent, broken }` as JSON; `broken` names files that were not whole.
 *
 * Arguments: the directory, a file with one relative path a line, a seed.
 */
import { createRandom } from "../harness/random.ts";
import { isWhole } from "./sealed_tree.ts";

const [directory, list, seed] = Deno.args;
const random = createRandom(Number(seed));
const paths = (await Deno.readTextFile(list)).split("\n").filter((line) => line !== "");
const found = { read: 0, absent: 0, broken: [] as string[] };

let ended = false;
const stdinEnd = Deno.stdin.readable.pipeTo(new WritableStream()).then(() => ended = true);
while (!ended) {
  const path = random.pick(paths);
  try {
    const content = await Deno.readFile(`${directory}/${path}`);
    found.read++;
    if (!isWhole(content)) found.broken.push(`${path} (${content.length} bytes)`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) throw error;
    found.absent++;
  }
}
await stdinEnd;
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(found)));
