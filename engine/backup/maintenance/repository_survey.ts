import type { RepositoryAccess } from "../repository/access.ts";
import { ChunkIndex } from "../packs/chunk_index.ts";
import { Losses } from "./losses.ts";
import type { ReadIndexOutput } from "./read_index.ts";
import { listStored, type StoredObjects } from "../repository/stored_objects.ts";
import { listVersions, type VersionList } from "../versions/version.ts";
import type { PackFault, PackToVerify } from "./verify_pack.ts";
import type { ObjectStore } from "../../cloud/object_store.ts";
import { forEachAtOnce } from "../../at_once.ts";
import type { PoolJob } from "../../../workers/types.ts";

/** What a repository holds, read in the order of FORMAT section 9, whatever of it is damaged. */
export interface Survey {
  list: VersionList;
  stored: StoredObjects;
  index: ChunkIndex;
  faults: ReadIndexOutput["faults"];
}

export async function survey(
  access: RepositoryAccess,
  store: ObjectStore,
  tasks: PoolJob,
  signal: AbortSignal,
): Promise<Survey> {
  const list = await listVersions(access, store);
  const stored = await listStored(store, signal);
  const { index, faults } = await tasks.run("backup.readIndex", { access, segments: stored.segments });
  return { list, stored, index: new ChunkIndex(index), faults };
}

/** The packs that the index names: those that are there, by number and with their real size, and the numbers of the others. */
export function packsThere(index: ChunkIndex, stored: StoredObjects): { there: PackToVerify[]; missing: number[] } {
  const [there, missing]: [PackToVerify[], number[]] = [[], []];
  for (let number = 0; number < index.data.packCount; number++) {
    const size = stored.packs.get(index.packName(number));
    if (size === undefined) missing.push(number);
    else there.push({ number, size });
  }
  return { there, missing };
}

/** Bytes of packs that one task reads. */
const SHARE = 128 << 20;

/** Reads packs through in the pool and notes what is lost. @param report is told the bytes that were read so far. */
export async function verifyInPool(
  access: RepositoryAccess,
  index: ChunkIndex,
  losses: Losses,
  packs: PackToVerify[],
  tasks: PoolJob,
  workers: number,
  report: (bytes: number) => void,
): Promise<PackFault[]> {
  const faults: PackFault[] = [];
  let done = 0;
  await forEachAtOnce(shares(packs), workers, async (share) => {
    const input = { access, index: index.data, packs: share, bad: losses.data.entries };
    faults.push(...await tasks.run("backup.verifyPacks", input));
    done += share.reduce((sum, { size }) => sum + size, 0);
    report(done);
  });
  return faults;
}

function shares(packs: PackToVerify[]): PackToVerify[][] {
  const found: PackToVerify[][] = [];
  let bytes = Infinity;
  for (const pack of packs) {
    if (bytes >= SHARE) {
      found.push([]);
      bytes = 0;
    }
    found[found.length - 1].push(pack);
    bytes += pack.size;
  }
  return found;
}
