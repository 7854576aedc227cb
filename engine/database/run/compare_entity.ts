import { isDamage, removeDatabase } from "../../sqlite_damage.ts";
import { allOrError, forEachAtOnce } from "../../at_once.ts";
import { Baseline } from "./baseline/baseline.ts";
import { HashList } from "./baseline/hash_list.ts";
import { WholeStaging } from "./baseline/whole_staging.ts";
import { baselinePath, baselineShape } from "./baseline/shape.ts";
import { chooseBucketing, unevenSegments } from "./bucketing.ts";
import type { DatabaseRun, Entity, Sides, Snapshots } from "./database_run.ts";
import type { Side } from "./decide.ts";
import type { DifferenceFile } from "./difference_file.ts";
import { onSide } from "./failure.ts";
import { compareLoose } from "./loose_rows.ts";
import { keyHash } from "./key_hash.ts";
import { chooseMethod } from "./method.ts";
import type { TablePair } from "./pairing.ts";
import { EntityPlan } from "./plan.ts";
import { GROUP_ROWS, type GroupReading, LANES, readGroup } from "./read_groups.ts";
import { keyOf } from "./report.ts";
import { RowDecisions } from "./row_decisions.ts";
import { byBucket, type Checksums, countRows, groupSegments, planSegments, type SegmentWork } from "./segments.ts";

/** Below it a table is counted rather than estimated. */
const SMALL = 10_000;
const BATCH_ROWS = 1000;

/** Finds out what has to be done for an entity; nothing is written to either database. */
export async function compareEntity(
  run: DatabaseRun,
  entity: Entity,
  snapshots: Snapshots,
  differences: DifferenceFile | undefined,
): Promise<void> {
  const comparison = new EntityComparison(run, entity, snapshots, differences);
  const mark = run.report.mark();
  const result = { ...entity.result };
  try {
    await comparison.compare();
  } catch (error) {
    if (!isDamage(error) || entity.pair === undefined || differences !== undefined) throw error;
    // A baseline that is damaged is none.
    removeDatabase(baselinePath(run.input.baselines, run.request, entity.pair));
    run.report.rewind(mark);
    Object.assign(entity.result, result);
    await comparison.compare();
  }
}

class EntityComparison {
  readonly #run: DatabaseRun;
  readonly #entity: Entity;
  readonly #snapshots: Snapshots;
  readonly #differences: DifferenceFile | undefined;
  #plan: EntityPlan;

  constructor(run: DatabaseRun, entity: Entity, snapshots: Snapshots, differences: DifferenceFile | undefined) {
    this.#run = run;
    this.#entity = entity;
    this.#snapshots = snapshots;
    this.#differences = differences;
    this.#plan = new EntityPlan(run.input.workspace, entity.index);
  }

  async compare(): Promise<void> {
    const { request, connections, input, progress } = this.#run;
    const { pair, result, name } = this.#entity;
    this.#entity.plan?.[Symbol.dispose]();
    const plan = this.#plan = this.#entity.plan = new EntityPlan(input.workspace, this.#entity.index);
    progress.say(`Comparing ${name}`);
    if (pair === undefined) return await this.#planCopy(this.#entity.planned as TablePair);

    plan.method = result.method = chooseMethod(pair, connections.source, connections.target);
    if (pair.source.key.length > 0) {
      const path = baselinePath(input.baselines, request, pair);
      plan.baseline = Baseline.open(path, baselineShape(pair, plan.method), plan.scratch, request.dryRun);
    }
    const former = plan.baseline?.bucketing;
    const [source, target] = await allOrError([this.#size("source", pair), this.#size("target", pair)]);
    progress.figures.rowsToCompare += source;
    plan.bucketing = former ?? await chooseBucketing(pair, this.#snapshots, { source, target }, connections);
    if (target === 0 && source > 0 && former === undefined && request.direction === "one-way") {
      return await this.#planCopy(pair);
    }
    await this.#compareRows(pair);
  }

  /** Estimated, where the table is not small. */
  async #size(side: Side, pair: TablePair): Promise<number> {
    const { table } = pair[side];
    if (table.kind !== "view" && table.estimatedRows >= SMALL) return table.estimatedRows;
    return await onSide(side, () => this.#snapshots[side].count(pair[side]));
  }

  async #planCopy(pair: TablePair): Promise<void> {
    const { result } = this.#entity;
    this.#plan.isCopy = true;
    result.method = "copy";
    result.sourceRows = result.inserted = await onSide("source", () => this.#snapshots.source.count(pair.source));
    if (this.#differences === undefined) return;
    await onSide("source", async () => {
      for await (const rows of this.#snapshots.source.all(pair.source, BATCH_ROWS)) {
        this.#run.progress.checkpoint();
        for (const row of rows) {
          const key = keyOf(pair.source, row);
          const difference = { side: "target", change: "insert", key, source: row, target: undefined } as const;
          this.#differences?.add(this.#entity, pair, difference);
        }
      }
    });
  }

  async #compareRows(pair: TablePair): Promise<void> {
    const { request } = this.#run;
    const { result } = this.#entity;
    const { baseline, bucketing, method } = this.#plan;
    const sums = async (side: Side) => {
      return byBucket(await onSide(side, () => this.#snapshots[side].checksums(pair[side], method, bucketing)));
    };
    const hasBase = baseline?.bucketing !== undefined;
    const isKept = baseline !== undefined && !request.dryRun;
    // A first run sets all of the source's rows aside, and need not read them twice for that.
    const isFirst = isKept && !hasBase;
    const [source, target] = await allOrError([
      isFirst ? this.#stageSource(pair, baseline) : sums("source"),
      sums("target"),
    ]);
    const base: Checksums = hasBase ? baseline.checksums() : isFirst ? source : new Map();
    const pending = hasBase ? baseline.pending() : new Set<number>();
    result.sourceRows = countRows(source);
    result.targetRows = countRows(target);
    if (target.size === 0 && source.size > 0 && !hasBase && request.direction === "one-way") {
      return await this.#planCopy(pair);
    }
    this.#plan.uneven = hasBase ? unevenSegments(bucketing, source.values(), result.sourceRows) : undefined;
    const work = planSegments(source, target, hasBase || isFirst ? base : undefined, { isKept, pending });
    result.segments = work.segments;
    result.differingSegments = work.differing;
    const segments = { source, target };
    const checksums = { source, target, base };
    const groups = groupSegments(work, bucketing.scheme === "range" ? GROUP_ROWS : Infinity);
    if (pair.source.key.length === 0) {
      for (const group of groups) {
        await compareLoose(this.#run, this.#entity, this.#reading(pair, segments, "loose"), group, this.#differences);
      }
      return;
    }
    if (isKept && hasBase) this.#beginStaging(work);
    const decisions = new RowDecisions({
      run: this.#run,
      entity: this.#entity,
      plan: this.#plan,
      pair,
      snapshots: this.#snapshots,
      checksums,
      pending,
      differences: this.#differences,
    });
    await forEachAtOnce(groups.entries(), LANES, async ([i, group]) => {
      await decisions.decideGroup(group, readGroup(this.#reading(pair, segments, String(i)), group));
    });
  }

  /** Reads the source's rows, sets them aside, and adds them up. */
  async #stageSource(pair: TablePair, baseline: Baseline): Promise<Checksums> {
    const { method, bucketing } = this.#plan;
    baseline.begin();
    this.#plan.isStaged = this.#plan.isWholeBaseline = true;
    const staging = new WholeStaging(baseline);
    await onSide("source", async () => {
      for await (const rows of this.#snapshots.source.hashes(pair.source, method, bucketing, undefined)) {
        this.#run.progress.checkpoint();
        for (const { bucket, key, hash } of rows) staging.add(bucket, keyHash(key), hash);
      }
    });
    return staging.finish();
  }

  #beginStaging({ both, sourceOnly, emptied }: SegmentWork): void {
    const plan = this.#plan;
    if (plan.baseline === undefined || both.length + sourceOnly.length + emptied.length === 0) return;
    plan.baseline.begin();
    plan.isStaged = true;
    for (const bucket of emptied) plan.baseline.stage(bucket, new HashList());
  }

  #reading(pair: TablePair, segments: Sides<Checksums>, name: string): GroupReading {
    const { method, bucketing } = this.#plan;
    const { progress, input } = this.#run;
    return {
      pair,
      method,
      bucketing,
      snapshots: this.#snapshots,
      segments,
      path: `${input.workspace}/${this.#entity.index}-rows-${name}`,
      onRows: () => progress.checkpoint(),
    };
  }
}
