import type { PruneRequest } from "../types.ts";

/** What retention needs to know of a version. */
export interface DatedVersion {
  versionId: string;
  createdAt: string;
  host: string;
  source: string;
}

/** Which versions stay; see {@link PruneRequest}. */
export type RetentionRules = Partial<
  Pick<
    PruneRequest,
    "retentionDays" | "keepLast" | "keepHourly" | "keepDaily" | "keepWeekly" | "keepMonthly" | "keepYearly"
  >
>;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The span of time that a moment lies in, by UTC; weeks begin on Monday. */
const SPANS: [
  rule: "keepHourly" | "keepDaily" | "keepWeekly" | "keepMonthly" | "keepYearly",
  spanOf: (at: Date) => number,
][] = [
  ["keepHourly", (at) => Math.floor(+at / HOUR_MS)],
  ["keepDaily", (at) => Math.floor(+at / DAY_MS)],
  ["keepWeekly", (at) => Math.floor((+at / DAY_MS + 3) / 7)],
  ["keepMonthly", (at) => at.getUTCFullYear() * 12 + at.getUTCMonth()],
  ["keepYearly", (at) => at.getUTCFullYear()],
];

/**
 * The ids of the versions that may go. Each source's are judged by themselves. A version stays where any rule keeps it: it is
 * younger than `retentionDays`, among the `keepLast` newest, or the newest of one of the so many newest hours, days, weeks, months
 * or years that have one. The newest of a source always stays. Without any rule all stay.
 *
 * A version with a date in the future or none at all stays and counts for no rule: a clock that was wrong once must not push good
 * versions out.
 */
export function expiredVersions(versions: DatedVersion[], rules: RetentionRules, now: Date): string[] {
  const hasRule = [rules.retentionDays, rules.keepLast, ...SPANS.map(([rule]) => rules[rule])].some((value) =>
    value !== undefined
  );
  if (!hasRule) return [];
  const sources = Map.groupBy(versions, ({ host, source }) => `${host}\0${source}`);
  return [...sources.values()].flatMap((ofSource) => expiredOfSource(ofSource, rules, now));
}

function expiredOfSource(versions: DatedVersion[], rules: RetentionRules, now: Date): string[] {
  const dated = versions.map(({ versionId, createdAt }) => ({ versionId, at: new Date(createdAt) }))
    .filter(({ at }) => +at <= +now)
    .sort((a, b) => +b.at - +a.at || (a.versionId < b.versionId ? -1 : 1));
  const kept = new Set(dated.slice(0, Math.max(1, rules.keepLast ?? 0)).map(({ versionId }) => versionId));
  if (rules.retentionDays !== undefined) {
    const oldest = +now - rules.retentionDays * DAY_MS;
    for (const { versionId, at } of dated) if (+at > oldest) kept.add(versionId);
  }
  for (const [rule, spanOf] of SPANS) {
    const spans = new Set<number>();
    for (const { versionId, at } of dated) {
      if (spans.size >= (rules[rule] ?? 0)) break;
      if (!spans.has(spanOf(at))) kept.add(versionId);
      spans.add(spanOf(at));
    }
  }
  return dated.map(({ versionId }) => versionId).filter((versionId) => !kept.has(versionId));
}
