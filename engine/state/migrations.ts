/**
 * The database's schema as numbered steps: step n brings `user_version` from n − 1 to n. A step that was released is never
 * edited; a change of the schema is a new step at the end.
 *
 * Times are milliseconds since 1970, UTC.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE api_keys (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL, -- JSON array
    token_hash TEXT NOT NULL UNIQUE, -- SHA-256 in hexadecimal
    created_at INTEGER NOT NULL,
    last_used_at INTEGER
  ) STRICT;

  CREATE TABLE idempotency_answers (
    key_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    headers TEXT NOT NULL, -- JSON object
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (key_id, idempotency_key)
  ) STRICT;
  CREATE INDEX idempotency_answers_by_age ON idempotency_answers (created_at);

  -- The figures of a run are its own; those of a manual session are the sums over its runs that ended.
  CREATE TABLE sessions (
    sequence INTEGER PRIMARY KEY, -- in the order of their starts
    session_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    source_identifier TEXT NOT NULL,
    target_identifier TEXT NOT NULL,
    sync_type TEXT,
    status TEXT NOT NULL,
    progress_percentage INTEGER NOT NULL,
    message TEXT NOT NULL,
    progress TEXT NOT NULL, -- JSON object
    error TEXT, -- JSON object
    parent_id TEXT,
    key_id TEXT,
    created_at INTEGER NOT NULL,
    completed_at INTEGER, -- null until it is over
    event_id INTEGER NOT NULL, -- of the newest event known to be sent
    operations INTEGER NOT NULL DEFAULT 0,
    failed_operations INTEGER NOT NULL DEFAULT 0,
    changes_applied INTEGER NOT NULL DEFAULT 0,
    conflicts_encountered INTEGER NOT NULL DEFAULT 0,
    bytes_transferred INTEGER NOT NULL DEFAULT 0,
    duration_ms INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX sessions_by_status ON sessions (status, sequence);
  CREATE INDEX sessions_by_age ON sessions (created_at);
  CREATE INDEX sessions_unfinished ON sessions (sequence) WHERE completed_at IS NULL;

  -- Apart from the sessions, so that listing those never reads a large result.
  CREATE TABLE session_results (
    sequence INTEGER PRIMARY KEY REFERENCES sessions (sequence) ON DELETE CASCADE,
    result TEXT NOT NULL -- JSON
  ) STRICT;

  -- What went wrong in the runs of a manual session, in the order of their ends.
  CREATE TABLE session_errors (
    id INTEGER PRIMARY KEY,
    sequence INTEGER NOT NULL REFERENCES sessions (sequence) ON DELETE CASCADE,
    message TEXT NOT NULL
  ) STRICT;
  CREATE INDEX session_errors_by_session ON session_errors (sequence, id);

  CREATE TABLE metrics (
    id INTEGER PRIMARY KEY CHECK (id = 1), -- one row
    total_syncs INTEGER NOT NULL DEFAULT 0,
    successful_syncs INTEGER NOT NULL DEFAULT 0,
    failed_syncs INTEGER NOT NULL DEFAULT 0,
    timed_syncs INTEGER NOT NULL DEFAULT 0,
    sync_duration_ms INTEGER NOT NULL DEFAULT 0,
    bytes_transferred INTEGER NOT NULL DEFAULT 0,
    azure_bytes INTEGER NOT NULL DEFAULT 0,
    s3_bytes INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  INSERT INTO metrics (id) VALUES (1);
  `,
  `
  CREATE TABLE backups (
    source TEXT NOT NULL,
    repository TEXT NOT NULL,
    last_run_at INTEGER NOT NULL,
    last_success_at INTEGER, -- null where every backup so far missed some files
    stored_bytes INTEGER NOT NULL, -- by all its backups together
    PRIMARY KEY (source, repository)
  ) STRICT;
  CREATE INDEX backups_by_age ON backups (last_run_at);
  `,
];
