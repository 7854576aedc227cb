/** How a session between two registered locations is run: as requests to the API, with its caller's rights. */
import type { Session } from "../engine/jobs/mod.ts";
import type { ApiKey, Location } from "../engine/state/mod.ts";
import type { Performed } from "./app.ts";
import { BASE_PATH, type SessionService } from "./environment.ts";
import { invalidRequest } from "./errors.ts";
import type { StartedSync } from "./schemas/session.ts";

/** One operation of a session. */
interface Part {
  message: string;
  path: string;
  body: Record<string, unknown>;
}

/**
 * What has to be done between two locations.
 * @throws ApiError 400 for an unknown `syncType`, and where the locations have not both what it needs
 */
export function partsOf(source: Location, target: Location, { syncType, files, database }: StartedSync): Part[] {
  const wantsFiles = ["Full", "Incremental", "Files"].includes(syncType);
  const wantsDatabase = ["Full", "Incremental", "Database"].includes(syncType);
  if (!wantsFiles && !wantsDatabase) {
    throw invalidRequest('"syncType" must be one of Full, Incremental, Files, Database between registered locations');
  }
  const parts: Part[] = [];
  if (wantsFiles && source.directory !== null && target.directory !== null) {
    parts.push({
      message: "Processing files",
      path: `${BASE_PATH}/sync/files`,
      body: {
        verifyIntegrity: syncType === "Full",
        ...files,
        sourceDirectory: source.directory,
        targetDirectory: target.directory,
      },
    });
  }
  if (wantsDatabase && source.connectionString !== null && target.connectionString !== null) {
    parts.push({
      message: "Processing database entities",
      path: `${BASE_PATH}/sync/database`,
      body: {
        entityNames: source.entityNames,
        ...database,
        sourceConnectionString: source.connectionString,
        targetConnectionString: target.connectionString,
      },
    });
  }
  if (parts.length > 0) return parts;
  const what = { Files: "a directory", Database: "a database" }[syncType] ?? "a directory, or both a database";
  throw invalidRequest(`"syncType" ${syncType} needs locations that both have ${what}`);
}

/** Carries the parts out one after the other and ends the session. */
export async function synchroniseLocations(
  session: Session,
  parts: Part[],
  key: ApiKey,
  sessions: Pick<SessionService, "tell" | "settle" | "get">,
  perform: (path: string, body: unknown, key: ApiKey) => Promise<Performed>,
): Promise<void> {
  const { sessionId } = session;
  let error: Session["error"] = null;
  try {
    for (const { message, path, body } of parts) {
      if ((await sessions.get(sessionId)).completedAt !== null) return;
      sessions.tell(sessionId, message);
      const answer = await perform(path, { ...body, sessionId }, key);
      if (answer.status !== 200) error ??= errorOf(answer);
    }
  } catch (defect) {
    error = {
      errorCode: "INTERNAL_ERROR",
      message: "The session failed unexpectedly",
      details: "See the server's log",
    };
    throw defect;
  } finally {
    await sessions.settle(sessionId, error);
  }
}

function errorOf({ body }: Performed): NonNullable<Session["error"]> {
  const { errorCode, message, details } = body as NonNullable<Session["error"]>;
  return { errorCode, message, details };
}
