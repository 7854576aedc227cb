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
  `
  CREATE TABLE webhook_subscriptions (
    id TEXT PRIMARY KEY NOT NULL,
    url TEXT NOT NULL,
    events TEXT NOT NULL, -- JSON array
    description TEXT NOT NULL,
    secret TEXT NOT NULL, -- whsec_ and base64
    created_at INTEGER NOT NULL,
    disabled_at INTEGER -- null while it is active
  ) STRICT;

  -- Written in the transaction that ends a session, so that no event is lost.
  CREATE TABLE webhook_events (
    id TEXT PRIMARY KEY NOT NULL,
    type TEXT NOT NULL,
    payload TEXT NOT NULL, -- JSON
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX webhook_events_by_age ON webhook_events (created_at);

  CREATE TABLE webhook_deliveries (
    id INTEGER PRIMARY KEY, -- in the order of their making
    event_id TEXT NOT NULL REFERENCES webhook_events (id) ON DELETE CASCADE,
    subscription_id TEXT NOT NULL REFERENCES webhook_subscriptions (id) ON DELETE CASCADE,
    status TEXT NOT NULL DEFAULT 'pending',
    created_at INTEGER NOT NULL,
    next_attempt_at INTEGER -- null once it is over
  ) STRICT;
  CREATE INDEX webhook_deliveries_by_event ON webhook_deliveries (event_id);
  CREATE INDEX webhook_deliveries_by_subscription ON webhook_deliveries (subscription_id, id);
  CREATE INDEX webhook_deliveries_due ON webhook_deliveries (subscription_id, next_attempt_at)
    WHERE next_attempt_at IS NOT NULL;

  CREATE TABLE webhook_attempts (
    id INTEGER PRIMARY KEY,
    delivery_id INTEGER NOT NULL REFERENCES webhook_deliveries (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    status_code INTEGER,
    error TEXT
  ) STRICT;
  CREATE INDEX webhook_attempts_by_delivery ON webhook_attempts (delivery_id);
  `,
  `
  CREATE TABLE audit (
    id INTEGER PRIMARY KEY, -- in the order of the requests
    at INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    key_name TEXT NOT NULL, -- as it was then
    address TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    request_id TEXT NOT NULL,
    status INTEGER, -- null until it is answered
    session_id TEXT
  ) STRICT;
  CREATE INDEX audit_by_key ON audit (key_id, id);
  CREATE INDEX audit_by_age ON audit (at);
  `,
  `
  CREATE TABLE schedules (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    cron TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    operation TEXT NOT NULL,
    request TEXT NOT NULL, -- JSON object
    enabled INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    next_run_at INTEGER, -- null where there will be none
    last_success_at INTEGER
  ) STRICT;

  CREATE TABLE schedule_runs (
    id INTEGER PRIMARY KEY, -- in the order of their starts
    schedule_id TEXT NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
    status TEXT NOT NULL,
    planned_at INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER, -- null while it runs
    session_id TEXT,
    error TEXT
  ) STRICT;
  CREATE INDEX schedule_runs_by_schedule ON schedule_runs (schedule_id, id);
  `,
  `
  CREATE TABLE locations (
    name TEXT PRIMARY KEY NOT NULL,
    directory TEXT,
    connection_string TEXT, -- as it was given, with its password
    entity_names TEXT NOT NULL, -- JSON array
    created_at INTEGER NOT NULL
  ) STRICT;
  `,
  "ALTER TABLE metrics ADD COLUMN local_bytes INTEGER NOT NULL DEFAULT 0;",
];
