/** What a run in both directions makes of what it knows and sees of a path: without files. */
import assert from "node:assert/strict";
import { BaselineEncoder, type BaselineEntry, decodeBaseline } from "./baseline.ts";
import { settledTime } from "./fingerprint.ts";
import { reconcile, type SideState } from "./reconcile.ts";
import { type Look, sideStates } from "./side_states.ts";

const LOOKS: Look[] = ["absent", "unchanged", "doubtful", "retimed", "changed"];
const [COMMON, LEFT, RIGHT] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte));

Deno.test("states of sides by what they hold", () => {
  type Case = [
    known: boolean,
    source: Look,
    target: Look,
    held: (Uint8Array | undefined)[],
    states: [SideState, SideState],
    read: number,
  ];
  const cases: Case[] = [
    [true, "unchanged", "doubtful", [COMMON, COMMON], ["unchanged", "unchanged"], 1],
    [true, "unchanged", "doubtful", [COMMON, RIGHT], ["unchanged", "changed"], 1],
    [true, "doubtful", "doubtful", [LEFT, RIGHT], ["changed", "changed"], 2],
    [true, "doubtful", "absent", [LEFT, undefined], ["changed", "absent"], 1],
    [true, "doubtful", "changed", [COMMON, RIGHT], ["unchanged", "changed"], 1],
    [true, "retimed", "unchanged", [COMMON, COMMON], ["changed", "unchanged"], 0],
    [true, "retimed", "changed", [COMMON, RIGHT], ["touched", "changed"], 1],
    [true, "retimed", "changed", [LEFT, RIGHT], ["changed", "changed"], 1],
    [true, "retimed", "absent", [COMMON, undefined], ["touched", "absent"], 1],
    [true, "retimed", "retimed", [COMMON, COMMON], ["touched", "touched"], 2],
    [true, "retimed", "doubtful", [COMMON, RIGHT], ["touched", "changed"], 2],
    [true, "retimed", "doubtful", [COMMON, COMMON], ["changed", "unchanged"], 1],
    [false, "unchanged", "doubtful", [COMMON, COMMON], ["unchanged", "unchanged"], 2],
    [false, "doubtful", "unchanged", [LEFT, COMMON], ["changed", "unchanged"], 2],
    [false, "doubtful", "doubtful", [LEFT, LEFT], ["unchanged", "unchanged"], 2],
    [false, "doubtful", "doubtful", [LEFT, RIGHT], ["changed", "changed"], 2],
    [false, "retimed", "changed", [COMMON, RIGHT], ["changed", "changed"], 0],
    [false, "doubtful", "changed", [COMMON, RIGHT], ["unchanged", "changed"], 0],
    // What cannot be read is what its size and time say.
    [true, "doubtful", "unchanged", [undefined, COMMON], ["unchanged", "unchanged"], 1],
    [true, "retimed", "changed", [undefined, RIGHT], ["changed", "changed"], 1],
    [false, "doubtful", "doubtful", [undefined, RIGHT], ["unchanged", "unchanged"], 2],
  ];
  for (const [known, source, target, [left, right], states, read] of cases) {
    for (const isSwapped of [false, true]) {
      const asked = new Set<string>();
      const looks = isSwapped ? { source: target, target: source } : { source, target };
      const found = sideStates(known ? COMMON : undefined, looks, (side) => {
        asked.add(side);
        return (side === "source") === isSwapped ? right : left;
      });
      const words = JSON.stringify([known, looks]);
      assert.deepEqual([found.source, found.target], isSwapped ? states.toReversed() : states, words);
      assert.equal(asked.size, read, words);
    }
  }
  // Without a doubt nothing is read.
  for (const source of LOOKS.filter((look) => look !== "doubtful" && look !== "retimed")) {
    for (const target of LOOKS.filter((look) => look !== "doubtful" && look !== "retimed")) {
      const { hash: _, ...states } = sideStates(COMMON, { source, target }, () => assert.fail("was read"));
      assert.deepEqual(states, { source, target });
    }
  }
});

Deno.test("both passes decide alike, whatever the states are", () => {
  const states: SideState[] = ["absent", "unchanged", "touched", "changed"];
  const strategies = ["SourceWins", "TargetWins", "LastWriteWins", "KeepBoth", "Manual"] as const;
  const [early, late] = [{ seconds: 1, nanoseconds: 0 }, { seconds: 2, nanoseconds: 0 }];
  const opposite = { source: "target", target: "source", both: "both" };
  for (const left of states) {
    for (const right of states) {
      if (left === "absent" && right === "absent") continue;
      for (const strategy of strategies) {
        for (const [leftTime, rightTime] of [[early, late], [late, early], [early, early]]) {
          const words = `${left} ${right} ${strategy}`;
          const forward = reconcile(
            { known: true, source: left, target: right, sourceTime: leftTime, targetTime: rightTime },
            strategy,
            "forward",
          );
          const back = reconcile(
            { known: true, source: right, target: left, sourceTime: rightTime, targetTime: leftTime },
            strategy,
            "back",
          );
          assert.equal(forward.conflict, back.conflict, words);
          if (left === "unchanged" && right === "unchanged" || strategy === "Manual" && forward.conflict) {
            assert.deepEqual([forward.winner, back.winner], ["target", "target"], words);
          } else {
            assert.equal(back.winner, opposite[forward.winner], words);
          }
          const isEdit = (state: SideState) => state === "changed" || state === "absent";
          assert.equal(forward.conflict, isEdit(left) && isEdit(right), words);
        }
      }
    }
  }
});

Deno.test("a change time counts when the clock has gone on", () => {
  const at = (ctime: number, ctimeNs: number) => !Number.isNaN(settledTime({ ctime, ctimeNs }, 100_000).ctime);
  assert.deepEqual([at(99, 1), at(99, 979_000_000), at(99, 981_000_000), at(100, 1), at(101, 1)], [
    true,
    true,
    false,
    false,
    false,
  ]);
  // Whole seconds are those of a file system that has no others.
  assert.deepEqual([at(97, 0), at(98, 0), at(99, 0)], [true, false, false]);
});

Deno.test("rows with what is known of contents come back as they were", () => {
  const file: BaselineEntry = {
    type: "file",
    size: 1,
    mtime: 2,
    mtimeNs: 3,
    targetMtime: 2,
    targetMtimeNs: 3,
    link: "",
  };
  const times = { ctime: 4, ctimeNs: 5, targetCtime: NaN, targetCtimeNs: 0 };
  const entries = new Map<string, BaselineEntry>([
    ["hash", { ...file, fingerprint: { ...times, hash: COMMON } }],
    ["times", { ...file, targetMtime: 0, fingerprint: { ...times, hash: undefined } }],
    ["nothing", { ...file, fingerprint: undefined }],
    ["last", { ...file, fingerprint: { ...times, hash: LEFT } }],
  ]);
  const encoder = new BaselineEncoder();
  for (const [name, entry] of entries) encoder.add(name, entry);
  assert.deepEqual(decodeBaseline(encoder.row), entries);
});
