import { PairWalk } from "../trees/pair_walk.ts";
import type { StreamSource } from "./task_stream.ts";
import { TAR_BLOCK, TAR_RECORD, tarHeader } from "./tar_header.ts";
import { At, type Content, type DirectoryEntry, type Entry, extraOf, isFile } from "../trees/tree_entry.ts";
import { type DataSource, VersionData } from "../versions/version_data.ts";
import type { TaskContext } from "../../../workers/types.ts";

/** What a task makes of an archive, about; a piece of a large file is as long. Whole blocks. */
const PIECE = 4 * 2 ** 20;
/** Entries that a task lists. */
const LISTED = 1024;
const CACHE = 16 * 2 ** 20;

/** A member of an archive, or a piece of its data. */
export interface TarMember {
  path: string;
  entry: Entry;
  /** The path of an earlier member that is the same file. */
  linked?: string;
  /** Which bytes of its data; the header comes with the first. */
  offset: number;
  length: number;
}

export interface TarListInput {
  source: DataSource;
  root: DirectoryEntry;
  /** The path to go on after. */
  resume: string | null;
}

export interface TarListOutput {
  members: [path: string, entry: Entry][];
  resume: string | null;
}

/** Lists a part of a directory's entries, in the archive's order. */
export async function listTar({ source, root, resume }: TarListInput, context: TaskContext): Promise<TarListOutput> {
  const data = new VersionData(source, { cacheBytes: CACHE, signal: context.signal });
  const walk = new PairWalk(data.tree, undefined, root, resume);
  const members: TarListOutput["members"] = [];
  for (let pair = await walk.next(); pair?.after !== undefined; pair = await walk.next()) {
    members.push([pair.path, pair.after]);
    if (members.length === LISTED) return { members, resume: pair.path };
  }
  return { members, resume: null };
}

/** Makes the bytes of some members. */
export async function makeTar(
  { source, members }: { source: DataSource; members: TarMember[] },
  context: TaskContext,
): Promise<Uint8Array<ArrayBuffer>> {
  const data = new VersionData(source, { cacheBytes: CACHE, signal: context.signal });
  const parts: Uint8Array[] = [];
  for (const { path, entry, linked, offset, length } of members) {
    context.checkpoint();
    if (offset === 0) parts.push(tarHeader(path, entry, linked));
    if (length === 0) continue;
    const bytes = await data.read(entry[At.content] as Content, offset, length, context);
    if (bytes.length < length) throw new Error(`${path}: its content in the version is shorter than its size`);
    parts.push(bytes);
    if (length % TAR_BLOCK !== 0) parts.push(new Uint8Array(TAR_BLOCK - length % TAR_BLOCK));
  }
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/**
 * A directory's content as an archive, in pieces. Memory: a piece, a list of entries, and the paths of hard-linked files, as the
 * later names of one refer to its first.
 */
export async function* tarOf({ source, tasks }: StreamSource, root: DirectoryEntry): AsyncGenerator<Uint8Array> {
  const links = new Map<string, string>();
  let total = 0;
  const make = async (members: TarMember[]) => {
    const bytes = await tasks.run("backup.tar", { source, members });
    total += bytes.length;
    return bytes;
  };
  let batch: TarMember[] = [];
  let filled = 0;
  for (let resume: string | null = null;;) {
    const output: TarListOutput = await tasks.run("backup.tar.list", { source, root, resume });
    for (const [path, entry] of output.members) {
      for (const member of membersOf(path, entry, links)) {
        batch.push(member);
        filled += member.length + TAR_BLOCK;
        if (filled < PIECE) continue;
        yield await make(batch);
        [batch, filled] = [[], 0];
      }
    }
    resume = output.resume;
    if (resume === null) break;
  }
  if (batch.length > 0) yield await make(batch);
  const end = Math.ceil((total + 2 * TAR_BLOCK) / TAR_RECORD) * TAR_RECORD;
  yield new Uint8Array(end - total);
}

/** The pieces of an entry; a later name of a file is a link to its first. */
function* membersOf(path: string, entry: Entry, links: Map<string, string>): Generator<TarMember> {
  const link = isFile(entry) ? extraOf(entry)?.link : undefined;
  const linked = link === undefined ? undefined : links.get(link);
  if (link !== undefined && linked === undefined) links.set(link, path);
  const size = isFile(entry) && linked === undefined ? entry[At.size] : 0;
  if (size === 0) return yield { path, entry, linked, offset: 0, length: 0 };
  for (let offset = 0; offset < size; offset += PIECE) {
    yield { path, entry, linked, offset, length: Math.min(PIECE, size - offset) };
  }
}
