import type { JobContext } from "../jobs/types.ts";
import type { DatabaseDiff, DiffPageRequest, SyncDatabaseRequest, SyncDatabaseResult } from "./request.ts";
import type { DatabaseServices } from "./services.ts";
import { diffDatabase, syncDatabase } from "./sync.ts";

/** What a program can have done with databases; the errors are those of {@link syncDatabase} and {@link diffDatabase}. */
export interface DatabaseOperations {
  sync(request: SyncDatabaseRequest, job: JobContext): Promise<SyncDatabaseResult>;
  /** Compares, and gives the first page of what differs. */
  diff(request: SyncDatabaseRequest, job: JobContext, limit: number): Promise<DatabaseDiff>;
  /** A later page of the same request; it looks at no database. */
  nextDiffPage(request: SyncDatabaseRequest, page: Required<DiffPageRequest>): Promise<DatabaseDiff>;
}

/** The operations with their services bound. */
export function databaseOperations(services: DatabaseServices): DatabaseOperations {
  const { diffs } = services;
  return {
    sync: (request, job) => syncDatabase(request, services, job),
    diff: (request, job, limit) => diffDatabase(request, services, job, { limit }),
    nextDiffPage: async (request, { limit, cursor }) => {
      return await diffs.page(diffs.find({ ...request, dryRun: true }, cursor), limit);
    },
  };
}
