import type { Snapshot } from "../dialect.ts";
import { inLanes } from "./at_once.ts";
import { Baseline } from "./baseline/baseline.ts";
import { baselinePath, baselineShape } from "./baseline/shape.ts";
import { chooseBucketing } from "./bucketing.ts";
import type { DatabaseRun, Entity } from "./database_run.ts";
import { chooseMethod } from "./method.ts";
import { type GroupReading, LANES, MOST_ROWS, readGroup } from "./read_groups.ts";
import { RowDecisions } from "./row_decisions.ts";
import { groupSegments } from "./segments.ts";

/** Sets the baseline of a table aside that was copied as a whole: the rows are the source's. */
export async function stageCopy(run: DatabaseRun, entity: Entity, source: Snapshot): Promise<void> {
  const { pair, plan, result } = entity;
  if (pair === undefined || plan === undefined || pair.source.key.length === 0 || plan.isBaselineLost) return;
  const { connections, input, request, progress } = run;
  progress.say(`Remembering ${entity.name}`);
  plan.method = chooseMethod(pair, connections.source, connections.target);
  plan.baseline ??= Baseline.open(
    baselinePath(input.baselines, request, pair),
    baselineShape(pair, plan.method),
    false,
  );
  const snapshots = { source, target: source };
  const sameEngine = connections.source.server.engine === connections.target.server.engine;
  plan.bucketing = await chooseBucketing(pair, snapshots, { source: result.sourceRows, target: 0 }, sameEngine);
  const { bucketing } = plan;
  const count = bucketing.scheme === "range" ? bucketing.boundaries.length + 1 : bucketing.buckets;
  const buckets = Array.from({ length: count }, (_, i) => i);
  const weights = new Map(buckets.map((bucket) => [bucket, result.sourceRows / count]));
  const work = { both: [], sourceOnly: buckets, emptied: [], weights, differing: 0, segments: count };
  const reading: GroupReading = {
    pair,
    method: plan.method,
    bucketing: plan.bucketing,
    snapshots,
    segments: { source: count, target: 0 },
    path: `${input.workspace}/${entity.index}-copied`,
    onRows: () => progress.checkpoint(),
  };
  const decisions = new RowDecisions({
    run,
    entity,
    plan,
    pair,
    snapshots,
    checksums: { source: new Map(), target: new Map(), base: new Map() },
    pending: new Set(),
    differences: undefined,
  });
  plan.baseline?.begin();
  plan.isStaged = plan.isWholeBaseline = true;
  const groups = groupSegments(work, plan.bucketing.scheme === "range" ? MOST_ROWS : Infinity);
  await inLanes(groups.entries(), LANES, async ([i, group]) => {
    await decisions.decideGroup(group, readGroup({ ...reading, path: `${reading.path}-${i}` }, group));
  });
  plan.baseline?.prepared();
}
