import type { RepositoryAccess } from "../repository/access.ts";
import { isLoss, lossOf } from "../maintenance/loss.ts";
import { readPackTable } from "./pack_reader.ts";
import { packObject, type StoredPack, TableReader } from "./pack_table.ts";
import { StoreError } from "../../cloud/object_store.ts";
import { openStore } from "../../cloud/open_store.ts";
import type { TaskContext } from "../../../workers/types.ts";

export interface PackTablesInput {
  access: RepositoryAccess;
  packs: { name: string; size: number }[];
}

export interface PackTablesOutput {
  packs: StoredPack[];
  /** Those that do not say what is in them. */
  unreadable: { name: string; reason: string }[];
}

/** What packs say of themselves. @throws StoreError */
export async function packTables(input: PackTablesInput, context: TaskContext): Promise<PackTablesOutput> {
  const store = openStore(input.access.location);
  const output: PackTablesOutput = { packs: [], unreadable: [] };
  for (const { name, size } of input.packs) {
    context.checkpoint();
    try {
      const pack = await readPackTable(input.access, store, name, size);
      const table = new TableReader(pack.table, packObject(name));
      while (table.next());
      output.packs.push(pack);
    } catch (error) {
      if (isLoss(error)) output.unreadable.push({ name, reason: lossOf(error) });
      else if (error instanceof StoreError && ["invalid", "damaged"].includes(error.kind)) {
        output.unreadable.push({ name, reason: error.message });
      } else throw error;
    }
  }
  return output;
}
