import { createHash } from "node:crypto";
import { packObject } from "../packs/pack_table.ts";
import type { StoreLocation } from "../../cloud/object_store.ts";
import { openStore } from "../../cloud/open_store.ts";
import type { TaskContext } from "../../../workers/types.ts";

/** Those of some packs whose names are not the SHA-256 of their bytes. @throws StoreError */
export async function hashPacks(
  { location, names }: { location: StoreLocation; names: string[] },
  context: TaskContext,
): Promise<string[]> {
  const store = openStore(location);
  const wrong: string[] = [];
  for (const name of names) {
    const hash = createHash("sha256");
    for await (const piece of await store.get(packObject(name), { signal: context.signal })) {
      context.checkpoint();
      hash.update(piece);
    }
    if (hash.digest("hex") !== name) wrong.push(name);
  }
  return wrong;
}
