/**
 * The tasks that workers can run: each is a function of the engine, from plain data to plain data, that does its own
 * input and output. The map's type is the protocol's source.
 */
import type { TaskContext, TaskHandler } from "../types.ts";
import { browseTree } from "../../engine/backup/reading/browse.ts";
import { listChanges } from "../../engine/backup/reading/changes.ts";
import { findEntryTask, readContentTask } from "../../engine/backup/reading/content.ts";
import { diffTrees } from "../../engine/backup/reading/diff.ts";
import { listTar, makeTar } from "../../engine/backup/reading/tar.ts";
import { loadIndexTask } from "../../engine/backup/reading/reading.ts";
import { applyRestore } from "../../engine/backup/restore/restore_apply.ts";
import { restoreLarge } from "../../engine/backup/restore/restore_large.ts";
import { planRestoreLinks } from "../../engine/backup/restore/restore_links.ts";
import { beginRestore, flushRestore, prepareRestore } from "../../engine/backup/restore/restore_prepare.ts";
import { scanRestore } from "../../engine/backup/restore/restore_scan.ts";
import { applySegments, copyLarge, discardLarge } from "../../engine/files/apply.ts";
import { buildTrees } from "../../engine/backup/create/build_trees.ts";
import { prepareCreate } from "../../engine/backup/create/prepare_create.ts";
import { scanSource } from "../../engine/backup/create/scan.ts";
import { storeFiles } from "../../engine/backup/create/store_files.ts";
import { storeIndex } from "../../engine/backup/create/store_index.ts";
import { storeRegion } from "../../engine/backup/create/store_region.ts";
import { packTables } from "../../engine/backup/packs/pack_tables.ts";
import { rebuildIndex } from "../../engine/backup/maintenance/rebuild_index.ts";
import { salvageVersion } from "../../engine/backup/maintenance/salvage_version.ts";
import { blame } from "../../engine/backup/maintenance/blame.ts";
import { hashPacks } from "../../engine/backup/maintenance/hash_packs.ts";
import { readIndex } from "../../engine/backup/maintenance/read_index.ts";
import { verifyPacks } from "../../engine/backup/maintenance/verify_pack.ts";
import { mark } from "../../engine/backup/maintenance/mark.ts";
import { packUsage } from "../../engine/backup/maintenance/pack_usage.ts";
import { reindex } from "../../engine/backup/maintenance/reindex.ts";
import { repack } from "../../engine/backup/maintenance/repack.ts";
import {
  beginDownload,
  completeDownload,
  discardDownload,
  downloadParts,
} from "../../engine/cloud/transfer/download_tasks.ts";
import { deleteObject, linkObject, listObjects, objectDetails } from "../../engine/cloud/transfer/query_tasks.ts";
import {
  abortBegun,
  abortUpload,
  beginUpload,
  completeUpload,
  uploadParts,
} from "../../engine/cloud/transfer/upload_tasks.ts";
import { runDatabase } from "../../engine/database/run/run.ts";
import { emptyTrash } from "../../engine/files/empty_trash.ts";
import { planLinks } from "../../engine/files/links.ts";
import { planOver } from "../../engine/files/over.ts";
import { begin, end, flush, forget, prepare } from "../../engine/files/prepare.ts";
import { preview } from "../../engine/files/preview.ts";
import { absorb, rebase } from "../../engine/files/rebase.ts";
import { scanDirectories } from "../../engine/files/scan.ts";
import { dropTexts, findUnkept, keepDirectories } from "../../engine/files/texts/keep_texts.ts";
import { planMerges } from "../../engine/files/texts/plan_merges.ts";
import { mergeFilesTask } from "../../engine/merge/merge_task.ts";

/** Task name → handler. Add a task here and nowhere else. */
export const tasks = {
  "files.prepare": prepare,
  "files.scan": scanDirectories,
  "files.merge": planMerges,
  "files.links": planLinks,
  "files.over": planOver,
  "files.preview": preview,
  "files.begin": begin,
  "files.apply": applySegments,
  "files.large": copyLarge,
  "files.discard": discardLarge,
  "files.flush": flush,
  "files.rebase": rebase,
  "files.absorb": absorb,
  "files.end": end,
  "files.unkept": findUnkept,
  "files.keepTexts": keepDirectories,
  "files.dropTexts": dropTexts,
  "files.emptyTrash": emptyTrash,
  "files.forget": forget,
  "backup.index": loadIndexTask,
  "backup.find": findEntryTask,
  "backup.browse": browseTree,
  "backup.read": readContentTask,
  "backup.tar.list": listTar,
  "backup.tar": makeTar,
  "backup.diff": diffTrees,
  "backup.changes": listChanges,
  "backup.restore.prepare": prepareRestore,
  "backup.restore.scan": scanRestore,
  "backup.restore.links": planRestoreLinks,
  "backup.restore.begin": beginRestore,
  "backup.restore.apply": applyRestore,
  "backup.restore.large": restoreLarge,
  "backup.restore.flush": flushRestore,
  "backup.create.prepare": prepareCreate,
  "backup.create.scan": scanSource,
  "backup.create.store": storeFiles,
  "backup.create.region": storeRegion,
  "backup.create.trees": buildTrees,
  "backup.create.index": storeIndex,
  "backup.readIndex": readIndex,
  "backup.packTables": packTables,
  "backup.rebuildIndex": rebuildIndex,
  "backup.salvageVersion": salvageVersion,
  "backup.mark": mark,
  "backup.verifyPacks": verifyPacks,
  "backup.hashPacks": hashPacks,
  "backup.blame": blame,
  "backup.packUsage": packUsage,
  "backup.repack": repack,
  "backup.reindex": reindex,
  "cloud.upload.begin": beginUpload,
  "cloud.upload.parts": uploadParts,
  "cloud.upload.complete": completeUpload,
  "cloud.upload.abort": abortUpload,
  "cloud.upload.abortBegun": abortBegun,
  "cloud.download.begin": beginDownload,
  "cloud.download.parts": downloadParts,
  "cloud.download.complete": completeDownload,
  "cloud.download.discard": discardDownload,
  "cloud.list": listObjects,
  "cloud.details": objectDetails,
  "cloud.delete": deleteObject,
  "cloud.link": linkObject,
  "database.run": runDatabase,
  "merge.files": mergeFilesTask,
} satisfies Record<string, TaskHandler<never, unknown, never>>;

type Tasks = typeof tasks;
export type TaskName = keyof Tasks & string;

/** Task name → the types of its input, output and progress values. */
export type TaskMap = {
  [K in TaskName]: Tasks[K] extends (input: infer I, context: infer C) => infer O
    ? { input: I; output: Awaited<O>; progress: C extends TaskContext<infer P> ? P : never }
    : never;
};
