import type { RepositoryAccess } from "../repository/access.ts";
import { chunkId } from "../crypto/chunk_id.ts";
import type { ChunkIndex } from "../packs/chunk_index.ts";
import type { ClaimSet } from "../create/claim_set.ts";
import type { PackWriter } from "../packs/pack_writer.ts";
import type { Content, Entry } from "./tree_entry.ts";
import { encodeList, encodePage, splitContent } from "./tree_page.ts";

/** Stores pages and lists that the repository does not have. */
export class TreeWriter {
  /** Bytes of chunks that the repository did not have. */
  newBytes = 0;

  constructor(
    private readonly access: RepositoryAccess,
    private readonly index: ChunkIndex,
    private readonly claims: ClaimSet,
    private readonly packs: PackWriter,
  ) {}

  /** @returns the chunk's id */
  async add(bytes: Uint8Array): Promise<string> {
    const id = chunkId(this.access, bytes);
    if (this.index.find(id) < 0 && this.claims.claim(id)) {
      this.newBytes += bytes.length;
      await this.packs.add(id, bytes);
    }
    return id.toHex();
  }

  page(entries: Entry[]): Promise<string> {
    return this.add(encodePage(entries));
  }

  /** A long content as lists. @param lengths bytes of each item */
  async content(items: (string | number)[], lengths: number[]): Promise<Content> {
    const parts = splitContent(items, lengths);
    if (parts === undefined) return items;
    const content: Content = [];
    for (const part of parts) content.push([await this.add(encodeList(part.items)), part.bytes]);
    return content;
  }
}
