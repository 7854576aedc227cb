import { createHash, randomBytes } from "node:crypto";
import { timeStamp } from "./conflict.ts";
import { isWithin } from "./locks.ts";
import type { FileServices, Run } from "./run.ts";
import type { SyncFilesRequest } from "./types.ts";
import type { JobContext } from "../jobs/types.ts";
import type { PoolJob } from "../../workers/types.ts";

/**
 * The trash that a run in both directions keeps on each side, where the request names none. It belongs to its side: no other run
 * carries it over or clears it away, unless something else is in it.
 */
export const OWN_TRASH = ".syncline-trash";

export interface OpenOptions {
  job: JobContext;
  tasks: PoolJob;
  spool: string;
  /** When the run began, milliseconds since 1970. */
  startedAt?: number;
  /** Of a run that goes both ways; `request` is then as the pass sees it. */
  pass?: "forward" | "back";
}

/** Looks at both directories and makes out what the parts of a run share. @throws EngineError `sync-failed`, `invalid` */
export async function openRun(
  request: SyncFilesRequest,
  services: FileServices,
  { job, tasks, spool, pass, startedAt = Date.now() }: OpenOptions,
): Promise<Run> {
  const { sourceDirectory: source, targetDirectory: target } = request;
  const hidden = [
    request.trashDirectory,
    ...pass === undefined ? [] : [`${source}/${OWN_TRASH}`, `${target}/${OWN_TRASH}`],
  ];
  const rulesKey = digest([request.excludePatterns, request.includePatterns]);
  const pair = pass === undefined
    ? [source, target]
    : ["two-way", ...pass === "forward" ? [source, target] : [target, source]];
  const baseline = `${services.dataDir}/baselines/${digest(pair).slice(0, 32)}.db`;
  // The same place in the source is left out too.
  const trash = below(target, ...hidden).flatMap((path) => [`${target}/${path}`, `${source}/${path}`]);
  const ownTrash = [source, target].map((side) => `${side}/${OWN_TRASH}`);
  const prepared = await tasks.run("files.prepare", {
    source,
    target,
    baseline,
    rulesKey,
    trash,
    ownTrash,
    spool,
    pass,
  });
  if (prepared.hasOwnTrash) hidden.push(...ownTrash);
  const rules = {
    exclude: request.excludePatterns,
    include: request.includePatterns,
    protected: {
      source: below(source, services.dataDir, ...hidden),
      target: below(target, services.dataDir, ...hidden),
    },
  };
  return {
    request,
    job,
    tasks,
    cleanUp: () => services.pool.job({ name: `${job.sessionId} (clean-up)` }),
    workers: services.pool.size,
    spool,
    baseline,
    rules,
    rulesKey,
    pass,
    id: randomBytes(6).toString("hex"),
    startedAt,
    stamp: timeStamp(new Date(startedAt)),
    roots: { source, target, sourceIdentity: prepared.sourceIdentity },
    prepared,
  };
}

function digest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

/** Paths that lie below a root, relative to it: the server's own data and the trash are never looked at. */
function below(root: string, ...paths: (string | undefined)[]): string[] {
  return paths.filter((path) => path !== undefined && path !== root && isWithin(path, root))
    .map((path) => (path as string).slice(root === "/" ? 1 : root.length + 1));
}
