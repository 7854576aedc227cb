/** Opens the connections of a snapshot. */
import type { ConnectionSpec } from "../types.ts";
import { openSession, type ServerFacts } from "./server.ts";
import type { Session } from "./session.ts";

const ATTEMPTS = 5;

const BEGIN = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

/**
 * Connections whose transactions all see the same state. No lock is taken for it: they begin at once, and the server is asked whether
 * anything was written in between. Where something was, again and again, or where the user may not ask, there is one connection.
 */
export async function openConsistent(
  spec: ConnectionSpec,
  server: ServerFacts,
  signal: AbortSignal,
  atOnce: number,
): Promise<Session[]> {
  const opening = await Promise.allSettled(
    Array.from({ length: Math.max(1, atOnce) }, () => openSession(spec, server, signal)),
  );
  const sessions = opening.flatMap((result) => result.status === "fulfilled" ? [result.value] : []);
  try {
    const failed = opening.find((result) => result.status === "rejected");
    // The server may allow fewer connections; one is enough.
    if (failed !== undefined && (sessions.length === 0 || signal.aborted)) throw failed.reason;
    await Promise.all(
      sessions.map((session) => session.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")),
    );
    for (let attempt = 0; attempt < ATTEMPTS && sessions.length > 1; attempt++) {
      await Promise.all(sessions.map((session) => session.run(BEGIN)));
      const agree = await seeTheSame(sessions);
      if (agree) return sessions;
      if (agree === undefined) break;
    }
    const rest = sessions.splice(1);
    await Promise.all(rest.map((session) => session[Symbol.asyncDispose]()));
    await sessions[0].run(BEGIN);
    return sessions;
  } catch (error) {
    await Promise.all(sessions.map((session) => session[Symbol.asyncDispose]()));
    throw error;
  }
}

/**
 * Whether the transactions' read views are the same; undefined where the server does not say. It numbers transactions that write when
 * they begin and when they end: views with the same bound, below which nothing was going on, are equal.
 */
async function seeTheSame(sessions: Session[]): Promise<boolean | undefined> {
  const status = await sessions[0].rows("SHOW ENGINE INNODB STATUS").catch(() => undefined);
  const views = readViews(status?.[0]?.[2] ?? "");
  const own = sessions.map((session) => views.get(session.id));
  if (own.includes(undefined)) return undefined;
  return own.every((view) => view!.seesBelow === view!.bound && view!.bound === own[0]!.bound);
}

interface ReadView {
  bound: string;
  seesBelow: string;
}

/** By connection. */
function readViews(status: string): Map<number, ReadView> {
  const views = new Map<number, ReadView>();
  for (const transaction of status.split("---TRANSACTION")) {
    const thread = /^(?:MariaDB|MySQL) thread id (\d+),/m.exec(transaction);
    const view = /^Trx read view will not see trx with id >= (\d+), sees < (\d+)/m.exec(transaction);
    if (thread !== null && view !== null) views.set(Number(thread[1]), { bound: view[1], seesBelow: view[2] });
  }
  return views;
}
