/** For tests: what the care of a repository takes, on a {@link BackupWorld}. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import type { BackupWorld } from "./backup_world.ts";
import { checkRepository } from "../maintenance/check.ts";
import { createBackup } from "../create/create.ts";
import { pruneBackups } from "../maintenance/prune.ts";
import { repairRepository } from "../maintenance/repair.ts";
import type {
  CheckRequest,
  CheckResult,
  CreateRequest,
  CreateResult,
  PruneRequest,
  PruneResult,
  RepairResult,
} from "../types.ts";
import type { JobContext } from "../../jobs/types.ts";

let runs = 0;

export function jobContext(signal: AbortSignal = new AbortController().signal): JobContext {
  return { sessionId: `maintenance${++runs}`, signal, progress: () => {} };
}

export async function create(world: BackupWorld, part: Partial<CreateRequest> = {}): Promise<CreateResult> {
  const request: CreateRequest = {
    sourceDirectory: world.source,
    repository: world.location,
    isFullBackup: false,
    description: "",
    excludePatterns: [],
    ...part,
  };
  fs.mkdirSync(`${world.services.dataDir}/tmp`, { recursive: true });
  return await createBackup(request, world.services, jobContext());
}

export async function prune(world: BackupWorld, part: Partial<PruneRequest> = {}): Promise<PruneResult> {
  const request: PruneRequest = { repository: world.location, retentionDays: undefined, dryRun: false, ...part };
  return await pruneBackups(request, world.services, jobContext());
}

export async function check(world: BackupWorld, part: Partial<CheckRequest> = {}): Promise<CheckResult> {
  const request: CheckRequest = { repository: world.location, readData: true, subset: 100, ...part };
  return await checkRepository(request, world.services, jobContext());
}

export async function repair(world: BackupWorld, dryRun = false): Promise<RepairResult> {
  return await repairRepository({ repository: world.location, dryRun }, world.services, jobContext());
}

/** That a check with all data finds nothing. */
export async function assertSound(world: BackupWorld, message = "a check found something"): Promise<CheckResult> {
  const result = await check(world);
  assert.deepEqual(result.problems, [], message);
  assert(result.success);
  return result;
}
