import { Bitmap } from "./bitmap.ts";
import type { Blame } from "./blame.ts";
import { catalogFaults } from "../versions/catalog_care.ts";
import { ChunkIndex } from "../packs/chunk_index.ts";
import { Losses } from "./losses.ts";
import { markVersions } from "./mark_versions.ts";
import type { StoredPack } from "../packs/pack_table.ts";
import type { SegmentFault } from "./read_index.ts";
import type { RepairRun } from "./repair.ts";
import { packsThere, survey, verifyInPool } from "./repository_survey.ts";
import type { Segment } from "./reindex.ts";
import type { PackFault } from "./verify_pack.ts";
import { isVersionId, type Version, type VersionList } from "../versions/version.ts";
import { forEachAtOnce } from "../../at_once.ts";

/** What is wrong with a repository and what can still be had. */
export interface Assessment {
  /** All packs in the store whose chunks are known, the sound ones first. */
  index: ChunkIndex;
  /** Of that index. */
  losses: Losses;
  /** Names of packs in which nothing is wrong. */
  sound: string[];
  damaged: { name: string; number: number; reason: string }[];
  /** Packs that no readable segment names; they are in the index. */
  unindexed: StoredPack[];
  /** Packs that no readable segment names and that do not say what is in them. */
  unreadable: { name: string; reason: string }[];
  /** Names of packs that segments name and that are not there. */
  missing: string[];
  segments: Segment[];
  faults: SegmentFault[];
  /** Whether segments have to be written. */
  needsIndex: boolean;
  /** Versions that lost something, oldest first. */
  affected: { version: Version; blames: Blame[] }[];
  damagedVersions: VersionList["damaged"];
  damagedCatalogs: { key: string; reason: string }[];
  foreign: string[];
}

/** Reads everything. Changes nothing. */
export async function assess(run: RepairRun): Promise<Assessment> {
  const { access, store, tasks, signal } = run;
  run.report(0, "Reading the index");
  const { list, stored, index: named, faults } = await survey(access, store, tasks, signal);
  const missing = packsThere(named, stored).missing.map((number) => named.packName(number));
  const indexed = new Set(Array.from({ length: named.data.packCount }, (_, number) => named.packName(number)));
  const others = [...stored.packs].filter(([name]) => !indexed.has(name)).map(([name, size]) => ({ name, size }));
  const { packs: unindexed, unreadable } = await tasks.run("backup.packTables", { access, packs: others });

  const inUse = [...indexed].filter((name) => stored.packs.has(name));
  const names = [...inUse, ...unindexed.map(({ name }) => name)];
  const build = async (rounds: string[][]) => {
    const input = { access, segments: stored.segments, rounds, packs: unindexed };
    return new ChunkIndex((await tasks.run("backup.readIndex", input)).index);
  };
  const verify = async (index: ChunkIndex, only: ReadonlySet<string> | undefined, losses: Losses) => {
    const packs = packsThere(index, stored).there.filter(({ number }) => only?.has(index.packName(number)) ?? true);
    const total = packs.reduce((sum, { size }) => sum + size, 0);
    const report = (bytes: number) => run.report(5 + 60 * bytes / total, "Reading the packs");
    return await verifyInPool(access, index, losses, packs, tasks, run.workers, report);
  };

  // A chunk may be in a sound pack and in a damaged one, so the sound ones come first in the index that counts.
  let index = await build([names]);
  let losses = Losses.create(index);
  let found = await verify(index, undefined, losses);
  const bad = new Set(found.map(({ number }) => index.packName(number)));
  const sound = names.filter((name) => !bad.has(name));
  if (bad.size > 0) {
    index = await build([sound, [...bad]]);
    losses = Losses.create(index);
    found = await verify(index, bad, losses);
  }

  run.report(65, "Walking the versions");
  const affected = await findAffected(run, index, losses, list.versions);
  return {
    index,
    losses,
    sound,
    damaged: found.map(({ number, reason }: PackFault) => ({ name: index.packName(number), number, reason })),
    unindexed,
    unreadable,
    missing,
    segments: stored.segments,
    faults,
    needsIndex: faults.length + missing.length + bad.size + unindexed.length > 0,
    affected,
    damagedVersions: list.damaged.filter(({ key }) => isVersionId(key.slice("versions/".length))),
    damagedCatalogs: await catalogFaults(access, store, stored.catalogs, list.versions),
    foreign: stored.foreign,
  };
}

async function findAffected(
  run: RepairRun,
  index: ChunkIndex,
  losses: Losses,
  versions: Version[],
): Promise<Assessment["affected"]> {
  const { access, tasks, workers } = run;
  const { lost } = await markVersions(access, index, versions, tasks, workers);
  if (lost.size === 0 && losses.areNone) return [];
  const sound = Bitmap.create(index.size).data;
  const affected: Assessment["affected"] = [];
  await forEachAtOnce(versions, workers, async (version) => {
    const blames = await tasks.run("backup.blame", {
      access,
      index: index.data,
      losses: losses.data,
      version,
      sound,
    });
    if (blames.length > 0) affected.push({ version, blames });
  });
  return affected.sort((a, b) => versions.indexOf(a.version) - versions.indexOf(b.version));
}
