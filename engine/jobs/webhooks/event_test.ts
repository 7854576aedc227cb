import assert from "node:assert/strict";
import { newSession } from "../new_session.ts";
import { eventOfEnd } from "./event.ts";

const FIGURES = {
  success: false,
  changesApplied: 1,
  conflictsEncountered: 0,
  bytesTransferred: 5,
  durationMs: 7,
};

Deno.test("an event stays under 20 kB whatever a session says", () => {
  for (const character of ["x", "\u0001", "€", "\u{1f600}", "\ud800"]) {
    const long = character.repeat(100_000);
    const session = newSession({
      kind: "sync.files",
      sourceIdentifier: long,
      targetIdentifier: long,
      syncType: null,
      status: "failed",
      message: long,
      parentId: null,
      keyId: null,
    });
    const error = { errorCode: "SYNC_FAILED", message: long, details: long };
    const event = eventOfEnd({ ...session, error }, { ...FIGURES, errors: Array(1_000).fill(long) });
    assert.ok(event !== undefined);
    assert.ok(new TextEncoder().encode(event.payload).length < 20_000);
    assert.equal(JSON.parse(event.payload).data.errorCount, 1_000);
  }
});
