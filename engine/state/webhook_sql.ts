/** The statements of the webhook store. */

const WANTS = "EXISTS (SELECT 1 FROM json_each(events) WHERE value = ?2)";

/**
 * The outbox's part of the transaction that ends a session. `?1` is the event's id, ?2 its type, ?3 its payload, ?4 now, ?5 the session's
 * sequence number: where the session is over already, nothing is added.
 */
const NOT_OVER = "EXISTS (SELECT 1 FROM sessions WHERE sequence = ?5 AND completed_at IS NULL)";

export const ADD_EVENT_OF_END = `INSERT INTO webhook_events (id, type, payload, created_at) SELECT ?1, ?2, ?3, ?4
  WHERE ${NOT_OVER} AND EXISTS (SELECT 1 FROM webhook_subscriptions WHERE disabled_at IS NULL AND ${WANTS})`;

export const ADD_DELIVERIES_OF_END =
  `INSERT INTO webhook_deliveries (event_id, subscription_id, created_at, next_attempt_at)
  SELECT ?1, id, ?4, ?4 FROM webhook_subscriptions WHERE ?3 IS NOT NULL AND disabled_at IS NULL AND ${WANTS} AND ${NOT_OVER}`;

export const ADD_EVENT = "INSERT INTO webhook_events (id, type, payload, created_at) VALUES (?1, ?2, ?3, ?4)";

export const ADD_DELIVERY = `INSERT INTO webhook_deliveries (event_id, subscription_id, created_at, next_attempt_at)
  SELECT ?1, id, ?3, ?3 FROM webhook_subscriptions WHERE id = ?2`;

/** ?1 is a delivery of the event. */
export const REPEAT = `INSERT INTO webhook_deliveries (event_id, subscription_id, created_at, next_attempt_at)
  SELECT event_id, subscription_id, ?2, ?2 FROM webhook_deliveries WHERE id = ?1`;

export const NEWEST = "SELECT max(id) AS id FROM webhook_deliveries WHERE event_id = ? AND subscription_id = ?";

/** What has yet to be delivered stays, however old it is and however many there are. */
const IS_OVER = `NOT EXISTS (SELECT 1 FROM webhook_deliveries
  WHERE event_id = webhook_events.id AND next_attempt_at IS NOT NULL)`;

export const DROP_OLD = `DELETE FROM webhook_events WHERE id IN (SELECT id FROM webhook_events
  WHERE created_at < ?1 AND ${IS_OVER} ORDER BY created_at LIMIT 100)`;

/** ?1 is how many of the newest stay. */
export const DROP_BEYOND = `DELETE FROM webhook_events WHERE id IN (SELECT id FROM webhook_events
  WHERE created_at < (SELECT created_at FROM webhook_events ORDER BY created_at DESC LIMIT 1 OFFSET ?1) AND ${IS_OVER}
  ORDER BY created_at LIMIT 100)`;

export const SUBSCRIPTIONS = `SELECT id, url, events, description, created_at AS createdAt, disabled_at AS disabledAt
  FROM webhook_subscriptions ORDER BY created_at, rowid`;

export const SUBSCRIBE = `INSERT INTO webhook_subscriptions (id, url, events, description, secret, created_at)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE (SELECT count(*) FROM webhook_subscriptions) < ?7`;

export const UNSUBSCRIBE = "DELETE FROM webhook_subscriptions WHERE id = ?";

/** Events that nobody waits for any more. */
export const DROP_ORPHANS = `DELETE FROM webhook_events WHERE id NOT IN (SELECT event_id FROM webhook_deliveries)`;

const DELIVERY = `SELECT d.id, subscription_id AS subscriptionId, event_id AS eventId, e.type AS event, status,
  d.created_at AS createdAt, next_attempt_at AS nextAttemptAt
  FROM webhook_deliveries AS d JOIN webhook_events AS e ON e.id = event_id`;

export const FIND = `${DELIVERY} WHERE d.id = ?`;

export const PAGE = `${DELIVERY} WHERE subscription_id = ? AND d.id < ? ORDER BY d.id DESC LIMIT ?`;

export const PAGE_OF_STATUS =
  `${DELIVERY} WHERE subscription_id = ? AND status = ? AND d.id < ? ORDER BY d.id DESC LIMIT ?`;

export const ATTEMPTS = `SELECT at, duration_ms AS durationMs, status_code AS statusCode, error FROM webhook_attempts
  WHERE delivery_id = ? ORDER BY id`;

export const DUE = `SELECT d.id, subscription_id AS subscriptionId, url, secret, d.created_at AS createdAt,
  (SELECT count(*) FROM webhook_attempts WHERE delivery_id = d.id) AS attempts, e.id AS eventId, e.type, e.payload
  FROM webhook_deliveries AS d JOIN webhook_events AS e ON e.id = event_id
  JOIN webhook_subscriptions AS s ON s.id = subscription_id
  WHERE subscription_id = ? AND next_attempt_at <= ? AND disabled_at IS NULL ORDER BY next_attempt_at, d.id LIMIT ?`;

export const WAITING = `SELECT subscriptionId, at FROM (SELECT id AS subscriptionId,
  (SELECT min(next_attempt_at) FROM webhook_deliveries WHERE subscription_id = s.id AND next_attempt_at IS NOT NULL) AS at
  FROM webhook_subscriptions AS s WHERE disabled_at IS NULL) WHERE at IS NOT NULL`;

export const ADD_ATTEMPT = `INSERT INTO webhook_attempts (delivery_id, at, duration_ms, status_code, error)
  SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM webhook_deliveries WHERE id = ?1)`;

export const SET_FATE = "UPDATE webhook_deliveries SET status = ?2, next_attempt_at = ?3 WHERE id = ?1";

export const DISABLE = "UPDATE webhook_subscriptions SET disabled_at = ?2 WHERE id = ?1 AND disabled_at IS NULL";

export const END_PENDING = `UPDATE webhook_deliveries SET status = 'failed', next_attempt_at = NULL
  WHERE subscription_id = ?1 AND next_attempt_at IS NOT NULL`;
