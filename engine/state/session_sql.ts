/** The statements of the session store. `?1` is the session's sequence number wherever a session is written. */

export const LAST_SEQUENCE = "SELECT max(sequence) AS last FROM sessions";

export const INSERT =
  `INSERT INTO sessions (sequence, session_id, kind, source_identifier, target_identifier, sync_type,
  status, progress_percentage, message, progress, parent_id, key_id, created_at, event_id)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)`;

/** A few at a time, so that no single write takes long; each new session drops more than it adds. */
export const DROP_BEYOND = `DELETE FROM sessions WHERE sequence IN (SELECT sequence FROM sessions
  WHERE sequence <= ?1 AND completed_at IS NOT NULL ORDER BY sequence LIMIT 100)`;

export const DROP_OLD = `DELETE FROM sessions WHERE sequence IN (SELECT sequence FROM sessions
  WHERE created_at < ?1 AND completed_at IS NOT NULL ORDER BY created_at LIMIT 100)`;

export const PROGRESS = `UPDATE sessions SET status = ?2, progress_percentage = ?3, message = ?4, progress = ?5,
  event_id = ?6 WHERE sequence = ?1 AND completed_at IS NULL`;

export const FINISH = `UPDATE sessions SET status = ?2, progress_percentage = ?3, message = ?4, progress = ?5,
  event_id = ?6, error = ?7, completed_at = ?8 WHERE sequence = ?1 AND completed_at IS NULL`;

const NOT_OVER = "EXISTS (SELECT 1 FROM sessions WHERE sequence = ?1 AND completed_at IS NULL)";

/** ?2 is 1 for a success, ?3 is 1 where the duration ?4 is known. */
export const ADD_METRICS = `UPDATE metrics SET total_syncs = total_syncs + 1, successful_syncs = successful_syncs + ?2,
  failed_syncs = failed_syncs + 1 - ?2, timed_syncs = timed_syncs + ?3, sync_duration_ms = sync_duration_ms + ?4,
  bytes_transferred = bytes_transferred + ?5 WHERE ${NOT_OVER}`;

/** ?2 is the session that is added to: the run itself or its parent. */
export const ADD_SUMS =
  `UPDATE sessions SET operations = operations + 1, failed_operations = failed_operations + 1 - ?3,
  changes_applied = changes_applied + ?4, conflicts_encountered = conflicts_encountered + ?5,
  bytes_transferred = bytes_transferred + ?6, duration_ms = duration_ms + ?7 WHERE session_id = ?2 AND ${NOT_OVER}`;

/** ?2 is the parent, ?3 a JSON array, ?4 how many errors the parent may have. */
export const ADD_ERRORS = `INSERT INTO session_errors (sequence, message)
  SELECT parent.sequence, error.value FROM sessions AS parent, json_each(?3) AS error
  WHERE parent.session_id = ?2 AND ${NOT_OVER} ORDER BY error.key
  LIMIT max(0, ?4 - (SELECT count(*) FROM session_errors JOIN sessions USING (sequence) WHERE session_id = ?2))`;

export const STORE_RESULT = `INSERT INTO session_results (sequence, result) SELECT ?1, ?2 WHERE ${NOT_OVER}`;

export const REMOVE = "DELETE FROM sessions WHERE sequence = ?1";

const COLUMNS = `sessions.sequence, session_id AS sessionId, kind, source_identifier AS sourceIdentifier,
  target_identifier AS targetIdentifier, sync_type AS syncType, status, progress_percentage AS progressPercentage,
  message, progress, error, parent_id AS parentId, key_id AS keyId, created_at AS createdAt,
  completed_at AS completedAt, event_id AS eventId`;

export const FIND = `SELECT ${COLUMNS}, result FROM sessions LEFT JOIN session_results USING (sequence)
  WHERE session_id = ?`;

export const PAGE = `SELECT ${COLUMNS} FROM sessions WHERE sequence < ? ORDER BY sequence DESC LIMIT ?`;

export const PAGE_OF_STATUS = `SELECT ${COLUMNS} FROM sessions WHERE status = ? AND sequence < ?
  ORDER BY sequence DESC LIMIT ?`;

export const COUNT = "SELECT count(*) AS count FROM sessions";

export const COUNT_OF_STATUS = "SELECT count(*) AS count FROM sessions WHERE status = ?";

export const UNFINISHED = `SELECT ${COLUMNS} FROM sessions WHERE completed_at IS NULL ORDER BY sequence`;

export const SUMS = `SELECT operations, failed_operations AS failedOperations, changes_applied AS changesApplied,
  conflicts_encountered AS conflictsEncountered, bytes_transferred AS bytesTransferred, duration_ms AS executionTimeMs
  FROM sessions WHERE sequence = ?`;

export const ERRORS = "SELECT message FROM session_errors WHERE sequence = ? ORDER BY id LIMIT ?";
