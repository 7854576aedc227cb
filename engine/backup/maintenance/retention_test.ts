import assert from "node:assert/strict";
import { type DatedVersion, expiredVersions, type RetentionRules } from "./retention.ts";
import { createRandom, testSeed } from "../../../tests/harness/random.ts";

const NOW = new Date("2026-03-31T12:00:00Z");

function versions(dates: string[], source = "/a", host = "h"): DatedVersion[] {
  return dates.map((date) => ({ versionId: `${source} ${date}`, createdAt: date, host, source }));
}

/** Dates of what stays, of one source. */
function kept(dates: string[], rules: RetentionRules, now = NOW): string[] {
  const gone = new Set(expiredVersions(versions(dates), rules, now));
  return versions(dates).filter(({ versionId }) => !gone.has(versionId)).map(({ createdAt }) => createdAt);
}

const DAILY = Array.from({ length: 90 }, (_, i) => new Date(+NOW - i * 86_400_000 - 1).toISOString());

Deno.test("without a rule nothing goes, with one the newest of each source stays", () => {
  assert.deepEqual(kept(DAILY, {}), DAILY);
  assert.deepEqual(kept(DAILY, { keepLast: 0 }), [DAILY[0]]);
  assert.deepEqual(kept(DAILY, { retentionDays: 0 }), [DAILY[0]]);
  const old = ["2001-01-01T00:00:00.000Z", "2001-01-02T00:00:00.000Z"];
  assert.deepEqual(kept(old, { retentionDays: 30 }), [old[1]]);
  const mixed = [...versions(old, "/a"), ...versions(old, "/b"), ...versions(old, "/b", "other host")];
  assert.equal(expiredVersions(mixed, { keepLast: 1 }, NOW).length, 3);
});

Deno.test("age keeps what is younger", () => {
  assert.deepEqual(kept(DAILY, { retentionDays: 7 }), DAILY.slice(0, 7));
  assert.deepEqual(kept(DAILY.toReversed(), { retentionDays: 7 }), DAILY.slice(0, 7).toReversed());
});

Deno.test("each span keeps its newest, and only spans that have a version count", () => {
  const dates = [
    "2026-03-31T11:59:00.000Z",
    "2026-03-31T11:00:00.000Z",
    "2026-03-31T10:59:59.999Z",
    "2026-03-30T23:00:00.000Z", // Monday
    "2026-03-29T23:00:00.000Z", // Sunday of the week before
    "2026-02-28T00:00:00.000Z",
    "2025-12-31T23:59:59.000Z",
    "2025-01-01T00:00:00.000Z",
    "2019-06-01T00:00:00.000Z",
  ];
  const at = (...indices: number[]) => indices.map((index) => dates[index]);
  assert.deepEqual(kept(dates, { keepLast: 2 }), at(0, 1));
  assert.deepEqual(kept(dates, { keepHourly: 3 }), at(0, 2, 3));
  assert.deepEqual(kept(dates, { keepDaily: 3 }), at(0, 3, 4));
  assert.deepEqual(kept(dates, { keepWeekly: 3 }), at(0, 4, 5));
  assert.deepEqual(kept(dates, { keepMonthly: 3 }), at(0, 5, 6));
  assert.deepEqual(kept(dates, { keepYearly: 9 }), at(0, 6, 8));
  assert.deepEqual(kept(dates, { keepLast: 2, keepYearly: 3 }), at(0, 1, 6, 8));
});

Deno.test("a date in the future or none keeps its version and pushes no other out", () => {
  const strange = ["2099-01-01T00:00:00.000Z", "2099-01-01T01:00:00.000Z", "not a date"];
  const rules = { keepLast: 2, keepDaily: 3, keepYearly: 2, retentionDays: 1 };
  assert.deepEqual(kept([...strange, ...DAILY], rules), [...strange, ...kept(DAILY, rules)]);
  assert.deepEqual(kept([...strange, DAILY[5]], { keepLast: 1 }), [...strange, DAILY[5]]);
});

Deno.test("random: more rules never keep less, and what stays, stays again", () => {
  const random = createRandom(testSeed("retention"));
  for (let round = 0; round < 300; round++) {
    const dates = Array.from(
      { length: random.below(40) },
      () => new Date(+NOW - random.below(1000 * 86_400) * 1000).toISOString(),
    );
    const rules: RetentionRules = {
      retentionDays: random.oneIn(3) ? random.below(400) : undefined,
      keepLast: random.below(4),
      keepHourly: random.below(4),
      keepDaily: random.below(4),
      keepWeekly: random.below(4),
      keepMonthly: random.below(4),
      keepYearly: random.below(4),
    };
    const first = kept(dates, rules);
    assert.deepEqual(kept(first, rules), first);
    const more = kept(dates, { ...rules, keepDaily: (rules.keepDaily ?? 0) + 1 });
    assert(first.every((date) => more.includes(date)));
    assert(dates.length === 0 || first.includes(dates.toSorted().at(-1) as string));
  }
});
