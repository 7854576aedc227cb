import type { Listing } from "./listing.ts";
import { Random } from "./random.ts";

const OWNER_WRITES = 0o200;

/**
 * Changes up to `count` regular files below `root`, as an editor that writes in place would: half keep their size. Leaves
 * out files with several names, empty ones and those that their owner may not write. Returns how many it
 * changed; throws where there is none.
 */
export async function changeFiles(root: string, listing: Listing, count: number, seed: number): Promise<number> {
  const random = new Random(seed);
  const candidates = listing.entries.filter((entry) =>
    entry.type === "f" && entry.links === 1 && entry.size > 0 && (entry.mode & OWNER_WRITES) !== 0 &&
    !entry.path.includes("\ufffd")
  );
  if (candidates.length === 0) throw new Error("Cannot change files: the tree has none that may be changed");
  const wanted = Math.min(count, candidates.length);
  for (let i = 0; i < wanted; i++) {
    const other = i + random.int(candidates.length - i);
    [candidates[i], candidates[other]] = [candidates[other], candidates[i]];
    await changeFile(`${root}/${candidates[i].path}`, random, i % 2 === 0);
  }
  return wanted;
}

async function changeFile(path: string, random: Random, keepSize: boolean): Promise<void> {
  using file = await Deno.open(path, { read: true, write: true });
  const { size } = await file.stat();
  if (keepSize) {
    const at = random.int(size);
    const byte = new Uint8Array(1);
    await file.seek(at, Deno.SeekMode.Start);
    await file.read(byte);
    byte[0] ^= 1 + random.int(255);
    await file.seek(at, Deno.SeekMode.Start);
    await file.write(byte);
  } else {
    await file.seek(0, Deno.SeekMode.End);
    await file.write(new TextEncoder().encode(`changed ${random.uint32()}\n`));
  }
}
