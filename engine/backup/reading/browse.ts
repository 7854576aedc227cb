import { typeName } from "./diff.ts";
import { asEngineError } from "../repository/failure.ts";
import type { BrowsePage, EntryPlace } from "../operations.ts";
import { loadSource } from "./reading.ts";
import { openRepository } from "../repository/repository.ts";
import { At, type DirectoryEntry, type Entry, isDirectory, isFile, isSymlink } from "../trees/tree_entry.ts";
import type { TreeReader } from "../trees/tree_reader.ts";
import type { BackupServices, BrowseEntry } from "../types.ts";
import { readVersion } from "../versions/version.ts";
import { type DataSource, VersionData } from "../versions/version_data.ts";
import { openStore } from "../../cloud/open_store.ts";
import { EngineError } from "../../errors.ts";
import type { TaskContext } from "../../../workers/types.ts";

const CACHE = 4 * 2 ** 20;

export interface BrowseInput {
  source: DataSource;
  versionId: string;
  path: string;
  after: string | undefined;
  limit: number;
}

/**
 * What a path of a version is, and a page of what is in it.
 * @throws EngineError `not-found` for a version or a path that is not there
 */
export async function browse(
  place: EntryPlace,
  page: { after?: string; limit: number },
  services: BackupServices,
): Promise<BrowsePage> {
  const { versionId, path } = place;
  try {
    const access = await openRepository(place.repository, services.password);
    await using tasks = services.pool.job({ name: "browse", priority: "interactive" });
    const look = async () => {
      const source = await loadSource(access, tasks);
      return await tasks.run("backup.browse", { source, versionId, path, after: page.after, limit: page.limit });
    };
    // No lease is taken, so a prune may move what the index names.
    return await look().catch((error) => {
      const reason = asEngineError(error);
      return reason instanceof EngineError && reason.kind === "damaged" ? look() : Promise.reject(error);
    });
  } catch (error) {
    throw asEngineError(error);
  }
}

/** Reads a page of a directory. */
export async function browseTree(input: BrowseInput, context: TaskContext): Promise<BrowsePage> {
  const { access } = input.source;
  const data = new VersionData(input.source, { cacheBytes: CACHE, signal: context.signal });
  const { root } = await readVersion(access, openStore(access.location), input.versionId);
  const entry = await findEntry(data.tree, root, input.path);
  const [entries, next] = isDirectory(entry) ? await pageOf(data.tree, entry, input) : [[], null];
  return { entry: browseEntry(entry, input.path), entries, next };
}

/** @throws EngineError `not-found` */
export async function findEntry(tree: TreeReader, root: DirectoryEntry, path: string): Promise<Entry> {
  const entry = await tree.find(root, path);
  if (entry !== undefined) return entry;
  throw new EngineError("not-found", "Not in the version", `The version has no ${JSON.stringify(path)}`);
}

async function pageOf(
  tree: TreeReader,
  directory: DirectoryEntry,
  { path, after = "", limit }: BrowseInput,
): Promise<[entries: BrowseEntry[], next: string | null]> {
  const pages = directory[At.pages];
  const entries: BrowseEntry[] = [];
  for (let number = await firstPageAfter(tree, pages, after); number < pages.length; number++) {
    for (const entry of await tree.page(pages[number])) {
      if (entry[At.name] <= after) continue;
      if (entries.length === limit) return [entries, entries[limit - 1].name];
      entries.push(browseEntry(entry, path === "" ? entry[At.name] : `${path}/${entry[At.name]}`));
    }
  }
  return [entries, null];
}

/** The number of the first page that has a name after `after`, by halving: a directory may have hundreds. */
async function firstPageAfter(tree: TreeReader, pages: string[], after: string): Promise<number> {
  let [low, high] = [0, after === "" ? 0 : pages.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const last = (await tree.page(pages[middle])).at(-1);
    if (last !== undefined && last[At.name] > after) high = middle;
    else low = middle + 1;
  }
  return low;
}

function browseEntry(entry: Entry, path: string): BrowseEntry {
  const milliseconds = entry[At.mtime] * 1000 + Math.floor(entry[At.mtimeNs] / 1e6);
  const shown: BrowseEntry = {
    name: entry[At.name],
    path,
    type: typeName(entry),
    size: isFile(entry) ? entry[At.size] : 0,
    mode: entry[At.mode],
    uid: entry[At.uid],
    gid: entry[At.gid],
    modifiedAt: timeText(milliseconds),
  };
  if (isSymlink(entry)) shown.target = entry[At.target];
  return shown;
}

/** The latest and earliest times that ISO 8601 text has in JavaScript. */
const MOST_MS = 8.64e15;

function timeText(milliseconds: number): string {
  return new Date(Math.max(-MOST_MS, Math.min(MOST_MS, milliseconds))).toISOString();
}
