/** `POST /sync/database` and `POST /sync/database/diff`, as the engine takes and answers them. */
import type { ConnectionSpec } from "./types.ts";

export type DatabaseConflictStrategy = "SourceWins" | "TargetWins" | "LastWriteWins" | "Manual";

export interface SyncDatabaseRequest {
  source: ConnectionSpec;
  target: ConnectionSpec;
  /** `table` or `schema.table`; at least one, no two alike. */
  entityNames: string[];
  /** All entities in one transaction of the target, or one a batch. */
  useTransactions: boolean;
  direction: "one-way" | "two-way";
  conflictStrategy: DatabaseConflictStrategy;
  /** For `LastWriteWins`: the column, of every entity, that says when a row was written. */
  conflictColumn?: string;
  deleteMissingInTarget: boolean;
  createMissingTables: boolean;
  dryRun: boolean;
  /** Rows a batch. */
  batchSize: number;
  /** Refuse the run before its first change where it would delete more rows than this, over all entities. */
  maxDelete?: number;
  /** A condition in SQL for an entity, used on both sides. */
  filters: Record<string, string>;
  /** The columns to compare and carry, key columns among them; all where an entity is not named. */
  columns: Record<string, string[]>;
}

export interface DatabaseConflict {
  /** The entity as the target has it. */
  entity: string;
  /** Column name to canonical text. */
  key: Record<string, string | null>;
  /** What happened on the two sides since the last run: `modified-modified`, `modified-deleted`, …, or `guard`: changed while the run went on. */
  kind: string;
  /** Whose value both have now, or `unresolved`. */
  resolution: "source" | "target" | "unresolved";
}

export interface EntityResult {
  entity: string;
  /** What the target's table is called. */
  target: string;
  /** How it was compared: `record`, `text64`, `md5`, `client`, or `copy` into an empty table. */
  method: string;
  sourceRows: number;
  targetRows: number;
  /** Segments compared, and those that differed. */
  segments: number;
  differingSegments: number;
  inserted: number;
  updated: number;
  deleted: number;
  /** Rows of the target that a first run (without a baseline) overwrote or deleted: nobody can tell whose change they were. */
  overwritten: number;
  conflicts: number;
  created: boolean;
  notes: string[];
}

export interface SyncDatabaseResult {
  success: boolean;
  /** Rows inserted, updated and deleted. */
  changesApplied: number;
  conflictsEncountered: number;
  /** `entity (key): what went wrong`. */
  errors: string[];
  /** ISO 8601 UTC. */
  syncedAt: string;
  executionTimeMs: number;
  sessionId: string;
  dryRun: boolean;
  /** The first 1,000. */
  conflicts: DatabaseConflict[];
  entities: EntityResult[];
}

/** One line of the NDJSON of a diff. */
export interface RowDifference {
  entity: string;
  /** Whose row would change; the source's only with `direction: "two-way"`. */
  side: "target" | "source";
  /** What a sync would do to it. */
  change: "insert" | "update" | "delete";
  /** Column name to canonical text; of a table without a key all columns. */
  key: Record<string, string | null>;
  /** The columns that differ; of an insert and a delete all columns, with only the side that has the row. */
  columns: Record<string, { source?: string | null; target?: string | null }>;
}

/** Which part of a diff's differences is wanted. */
export interface DiffPageRequest {
  /** At least 1. */
  limit: number;
  /** A `nextCursor` of an earlier page of the same request; it goes on reading the same result. */
  cursor?: string;
}

export interface DatabaseDiff {
  /** What a dry run answers. */
  summary: SyncDatabaseResult;
  /** Differences on all pages. */
  totalCount: number;
  /** Of this page. */
  cursor: string;
  /** Null on the last page. */
  nextCursor: string | null;
  /** Reads this page's differences from their file; to be called once. */
  differences(): AsyncIterable<RowDifference>;
}
