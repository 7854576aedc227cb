import type { SessionStore, StoredSession } from "../state/session_store.ts";
import { manualEnd } from "./manual_end.ts";
import { endOfStop } from "./run_end.ts";
import { DIED } from "./session_view.ts";
import { eventOfEnd } from "./webhooks/event.ts";

/**
 * How far event ids skip ahead after a restart. The newest id that was sent may not have been stored, so this is more than
 * are sent while a write can wait.
 */
const EVENT_ID_GAP = 10_000;

/**
 * Ends what a dead process left behind: its runs, then the groups that complete by themselves, with the sums of those. Returns the manual
 * sessions, which stay open.
 */
export async function endInterrupted(store: SessionStore): Promise<StoredSession[]> {
  const entries = store.unfinished().map((entry) => ({ ...entry, eventId: entry.eventId + EVENT_ID_GAP }));
  const of = (...kinds: string[]) => entries.filter(({ session }) => kinds.includes(session.kind));
  const groups = of("manual", "sync.locations");
  const completedAt = new Date().toISOString();
  await Promise.all(
    entries.filter((entry) => !groups.includes(entry)).map((entry) => {
      const end = endOfStop("interrupted", entry.session, DIED);
      const session = { ...entry.session, ...end.session, completedAt };
      const figures = { ...end.figures, durationMs: null };
      return store.finish({ ...entry, session }, null, figures, eventOfEnd(session, figures));
    }),
  );
  await Promise.all(
    of("sync.locations").map((entry) => {
      const end = manualEnd(store, entry.sequence, "interrupted");
      return store.finish({ ...entry, session: { ...entry.session, ...end } }, JSON.stringify(end.result), null);
    }),
  );
  return of("manual");
}
