import type { MiddlewareHandler } from "hono";
import type { AuditStore } from "../../engine/state/mod.ts";
import { clientAddress } from "../client_address.ts";
import type { AppEnv } from "../environment.ts";
import type { Logger } from "../logging.ts";
import { shorten } from "../shorten.ts";
import { callerOf } from "./authentication.ts";

/**
 * Records who does what: on disk before it is done, so that nothing is done unrecorded, and how it was answered afterwards. For whatever
 * changes something; queries leave no trace.
 */
export function audit(store: AuditStore, logger: Logger): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { requestId, path, connection } = c.env;
    const { id: keyId, name: keyName } = callerOf(c.env);
    const id = await store.begin({
      keyId,
      keyName,
      address: clientAddress(connection.remoteAddr),
      method: c.req.method,
      path: shorten(path, 512),
      requestId,
    });
    await next();
    store.end(id, c.res.status, c.env.sessionId ?? null)
      .catch((error) => logger.error("an answer could not be added to the audit log", { requestId, error }));
  };
}
