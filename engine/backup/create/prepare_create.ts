import * as fs from "node:fs";
import type { RepositoryAccess } from "../repository/access.ts";
import { extendCatalogs } from "../versions/catalog_care.ts";
import type { ChunkIndexData } from "../packs/chunk_index.ts";
import { loadIndex } from "../packs/index_segment.ts";
import { openSourceDirectory, type SourceRoot } from "./source_root.ts";
import type { DirectoryEntry } from "../trees/tree_entry.ts";
import { listHeads, newestOf } from "../versions/version_heads.ts";
import { entryXattrs } from "./xattrs.ts";
import { openStore } from "../../cloud/open_store.ts";
import { statOf } from "../../posix/mod.ts";

export interface PrepareCreateInput {
  access: RepositoryAccess;
  source: string;
  host: string;
  /** Path of the spool file; made empty. */
  spool: string;
}

export interface PrepareCreateOutput {
  root: SourceRoot;
  /** The source's own entry, without pages. */
  entry: DirectoryEntry;
  index: ChunkIndexData;
  /** The newest version of the source. */
  parent: { versionId: string; createdAt: string; root: DirectoryEntry } | null;
}

/** Looks at the source and loads what the repository has. @throws EngineError, StoreError */
export async function prepareCreate(input: PrepareCreateInput): Promise<PrepareCreateOutput> {
  const { access, source, host } = input;
  fs.mkdirSync(input.spool.slice(0, input.spool.lastIndexOf("/")), { recursive: true, mode: 0o700 });
  fs.writeFileSync(input.spool, "", { mode: 0o600 });
  using tree = openSourceDirectory(source);
  const stat = statOf(tree.root);
  const inode = stat.identity.slice(stat.identity.lastIndexOf(":") + 1);
  const { permissions, uid, gid, mtime, mtimeNs, ctime, ctimeNs } = stat;
  const entry: DirectoryEntry = ["", "d", permissions, uid, gid, mtime, mtimeNs, ctime, ctimeNs, inode, []];
  const xattrs = entryXattrs(tree.root);
  if (xattrs !== undefined) entry.push({ xattrs });
  const store = openStore(access.location);
  // Versions come first: whatever they need is then in the index (FORMAT section 9).
  const found = await listHeads(access, store);
  await extendCatalogs(access, store, found);
  const newest = await newestOf(
    access,
    store,
    found.heads.filter((version) => version.host === host && version.source === source),
  );
  const { index } = await loadIndex(access, store);
  const parent = newest === undefined
    ? null
    : { versionId: newest.versionId, createdAt: newest.createdAt, root: newest.root };
  return { root: { path: source, identity: tree.identity }, entry, index: index.data, parent };
}
