import { Bitmap } from "./bitmap.ts";
import { segmentObject, writeIndexSegment } from "../packs/index_segment.ts";
import { packObject, type StoredPack } from "../packs/pack_table.ts";
import type { Assessment } from "./repair_assessment.ts";
import type { RepairRun, Replaced } from "./repair.ts";
import { type Version, versionObject, writeVersion } from "../versions/version.ts";
import { At, type DirectoryEntry } from "../trees/tree_entry.ts";
import { forEachAtOnce } from "../../at_once.ts";

const DELETIONS = 16;
const MOST_ERRORS = 1_000;

/** Carries out what an {@link Assessment} calls for: packs, index, versions; then the deletions, the other way round. */
export class Salvaging {
  /** New ids by old ones; an empty one where nothing is left. */
  readonly #replaced: Replaced = new Map();
  readonly #moved: StoredPack[] = [];
  /** Names of all packs that were written: where nothing is encrypted, one may have the name of a damaged one. */
  readonly #written = new Set<string>();

  constructor(private readonly context: RepairRun, private readonly found: Assessment) {}

  async run(): Promise<Replaced> {
    const { context, found } = this;
    context.report(75, "Moving what is sound");
    await this.#movePacks();
    const segments = found.needsIndex ? await this.#writeIndex() : undefined;
    context.report(85, "Writing versions without what is lost");
    for (const { version } of found.affected) await this.#replace(version);

    context.report(95, "Removing what is damaged");
    await this.#delete([
      ...found.damagedCatalogs.map(({ key }) => key),
      ...found.damagedVersions.map(({ key }) => key),
      ...found.affected.map(({ version }) => versionObject(version.versionId)),
    ]);
    if (segments !== undefined) {
      const kept = new Set(segments);
      await this.#delete(found.segments.filter(({ name }) => !kept.has(name)).map(({ name }) => segmentObject(name)));
    }
    const gone = [...found.damaged, ...found.unreadable].filter(({ name }) => !this.#written.has(name));
    await this.#delete(gone.map(({ name }) => packObject(name)));
    return this.#replaced;
  }

  /** Writes the sound chunks of damaged packs into new ones. */
  async #movePacks(): Promise<void> {
    const { access, tasks } = this.context;
    const { index, losses, damaged } = this.found;
    if (damaged.length === 0) return;
    const chosen = Bitmap.create(index.size);
    for (let entry = 0; entry < index.size; entry++) if (!losses.entries.has(entry)) chosen.add(entry);
    for (const kind of ["data", "tree"] as const) {
      const packs = damaged.map(({ number }) => number).filter((number) => index.packKind(number) === kind);
      if (packs.length === 0) continue;
      const input = { access, index: index.data, chosen: chosen.data, kind, packs };
      this.#moved.push(...await tasks.run("backup.repack", input));
    }
    for (const { name } of this.#moved) this.#written.add(name);
  }

  async #writeIndex(): Promise<string[]> {
    const { access, tasks } = this.context;
    const { segments, sound, unindexed } = this.found;
    const packs = new Set(sound);
    const others = [...this.#moved, ...unindexed.filter(({ name }) => packs.has(name))];
    return await tasks.run("backup.rebuildIndex", { access, segments, packs: sound, others });
  }

  async #replace(version: Version): Promise<void> {
    const { access, store, tasks, lease } = this.context;
    const { index, losses, affected } = this.found;
    const input = { access, index: index.data, losses: losses.data, version };
    const { pages, hasChanges, counts, packs } = await tasks.run("backup.salvageVersion", input);
    if (pages === null) {
      this.#replaced.set(version.versionId, "");
      return;
    }
    for (const { name } of packs) this.#written.add(name);
    if (packs.length > 0) await writeIndexSegment(access, store, packs);
    const lost = affected.flatMap((one) => one.version === version ? one.blames : []);
    const root: DirectoryEntry = [...version.root];
    root[At.pages] = pages;
    const parent = version.parentVersionId;
    const fresh: Version = {
      ...version,
      ...counts,
      versionId: crypto.randomUUID(),
      root,
      description: `${version.description} (salvaged from ${version.versionId})`.trim(),
      parentVersionId: parent === null ? null : this.#replaced.get(parent) || parent,
      changes: hasChanges ? version.changes : null,
      errors: [
        ...version.errors,
        ...lost.flatMap(({ files, reason }) => files.map((path) => `${path}: lost: ${reason}`)),
      ].slice(0, MOST_ERRORS),
      errorCount: version.errorCount + lost.reduce((sum, { fileCount }) => sum + fileCount, 0),
    };
    lease.assertValid();
    await writeVersion(access, store, fresh);
    this.#replaced.set(version.versionId, fresh.versionId);
  }

  async #delete(keys: string[]): Promise<void> {
    await forEachAtOnce(keys, DELETIONS, async (key) => {
      this.context.lease.assertValid();
      await this.context.store.delete(key, { signal: this.context.signal });
    });
  }
}
