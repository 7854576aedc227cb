import type { RepositoryAccess } from "../repository/access.ts";
import { writeIndexSegment } from "../packs/index_segment.ts";
import type { StoredPack } from "../packs/pack_table.ts";
import { openStore } from "../../cloud/open_store.ts";

export interface StoreIndexInput {
  access: RepositoryAccess;
  packs: StoredPack[];
}

/** Stores an index segment. @throws StoreError */
export async function storeIndex({ access, packs }: StoreIndexInput): Promise<void> {
  await writeIndexSegment(access, openStore(access.location), packs);
}
