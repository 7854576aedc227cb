import type { BackupWorld } from "./backup_world.ts";
import { ChunkReader } from "../packs/chunk_reader.ts";
import { loadIndex } from "../packs/index_segment.ts";
import { TreeReader } from "../trees/tree_reader.ts";
import { readVersion } from "../versions/version.ts";
import { openStore } from "../../cloud/open_store.ts";

/** For tests: a version's list of changes as `change path`; null where it has none. */
export async function changesOf(world: BackupWorld, { versionId }: { versionId: string }): Promise<string[] | null> {
  const store = openStore(world.location);
  const { changes } = await readVersion(world.access, store, versionId);
  if (changes === null) return null;
  const { index } = await loadIndex(world.access, store);
  const chunks = new ChunkReader(world.access, store, index, { cacheBytes: 0 });
  let text = "";
  for await (const items of new TreeReader(chunks).content(changes)) {
    for (const item of items) text += new TextDecoder().decode(await chunks.read(item as string));
  }
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line).join(" "));
}
