import { isCancellation } from "../../../errors.ts";
import type { HashSink, Snapshot } from "../../dialect.ts";
import { RangeBuckets } from "../../range_buckets.ts";
import { keyBucket, rowHash } from "../../row_text.ts";
import type { Bucketing, HashedRow, Row, TableSide } from "../../types.ts";
import { Baseline } from "../baseline/baseline.ts";
import { baselinePath, baselineShape } from "../baseline/shape.ts";
import { WholeStaging } from "../baseline/whole_staging.ts";
import { chooseBucketing } from "../bucketing.ts";
import type { DatabaseRun, Entity } from "../database_run.ts";
import { keyHash } from "../key_hash.ts";
import { chooseMethod } from "../method.ts";
import { keyOf } from "../report.ts";

/**
 * Sets the baseline of a table aside while it is copied as a whole: what will be there is what the source has. Hashes that are computed
 * here are those of the rows that go through; others the source's server computes meanwhile.
 *
 * What goes wrong with it costs the baseline and not the copy.
 */
export class CopyMemory implements AsyncDisposable {
  readonly #entity: Entity;
  readonly #table: TableSide;
  #take: ((row: Row) => void) | undefined;
  #reading: Promise<void> = Promise.resolve();
  #staging: { baseline: Baseline; rows: WholeStaging } | undefined;
  /** Whether a {@link sink} is told of the rows. */
  #isTold = false;
  #isOver = false;

  private constructor(entity: Entity, table: TableSide) {
    this.#entity = entity;
    this.#table = table;
  }

  /** @param way how it learns of the rows: by {@link rows}, by the {@link sink}, or neither */
  static async begin(
    run: DatabaseRun,
    entity: Entity,
    source: Snapshot,
    way: "rows" | "sink" | undefined,
  ): Promise<CopyMemory> {
    const { pair, plan } = entity;
    if (pair === undefined || plan === undefined) throw new Error(`Cannot copy ${entity.name} before it is compared`);
    const memory = new CopyMemory(entity, pair.source);
    // Without a key there is none, and a comparison that found the target empty has set it aside already.
    if (pair.source.key.length === 0 || plan.isStaged) return memory;
    await memory.#unlessItFails(async () => {
      plan.method = chooseMethod(pair, run.connections.source, run.connections.target);
      const path = baselinePath(run.input.baselines, run.request, pair);
      const baseline = plan.baseline ??= Baseline.open(
        path,
        baselineShape(pair, plan.method),
        plan.scratch,
        false,
      ) as Baseline;
      const rows = { source: entity.result.sourceRows, target: 0 };
      plan.bucketing = await chooseBucketing(pair, { source, target: source }, rows, run.connections);
      baseline.begin();
      memory.#staging = { baseline, rows: new WholeStaging(baseline) };
      const isOurs = plan.method === "md5" || plan.method === "client";
      if (way === "rows" && isOurs) memory.#take = taker(pair.source, plan.bucketing, memory.#staging.rows);
      else if (way === "sink") memory.#isTold = true;
      else memory.#beginReading(source);
    });
    return memory;
  }

  /** Takes rows that are being copied. */
  rows(rows: Row[]): void {
    if (this.#take === undefined) return;
    try {
      for (const row of rows) this.#take(row);
    } catch (error) {
      this.#lose(error);
    }
  }

  /** For a copy that tells of its rows: what another told before is forgotten. */
  sink(): HashSink | undefined {
    const staging = this.#staging;
    if (staging === undefined || !this.#isTold) return undefined;
    const { method, bucketing } = this.#entity.plan as NonNullable<Entity["plan"]>;
    try {
      staging.baseline.abandon();
      staging.baseline.begin();
    } catch (error) {
      this.#lose(error);
      return undefined;
    }
    const rows = staging.rows = new WholeStaging(staging.baseline);
    const take = (hashed: HashedRow[]) => {
      if (this.#staging === undefined) return;
      try {
        for (const row of hashed) stage(rows, row);
      } catch (error) {
        this.#lose(error);
      }
    };
    return { method, bucketing, take };
  }

  /** The copy that would have told of its rows was none: they are read for themselves. */
  readInstead(source: Snapshot): void {
    if (this.sink() === undefined) return;
    this.#isTold = false;
    this.#beginReading(source);
  }

  /** Everything was copied. */
  async end(): Promise<void> {
    await this.#reading;
    this.#isOver = true;
    const { plan } = this.#entity;
    if (plan === undefined || this.#staging === undefined) return;
    const { baseline, rows } = this.#staging;
    await this.#unlessItFails(() => {
      rows.finish();
      baseline.prepared();
      plan.isStaged = plan.isWholeBaseline = true;
    });
  }

  /** Forgets it where it was not ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    await this.#reading.catch(() => {});
    this.#staging?.baseline.abandon();
  }

  #beginReading(source: Snapshot): void {
    this.#reading = this.#unlessItFails(() => this.#read(source));
    // Its error is thrown at the end.
    this.#reading.catch(() => {});
  }

  async #read(source: Snapshot): Promise<void> {
    const { method, bucketing } = this.#entity.plan as NonNullable<Entity["plan"]>;
    for await (const batch of source.hashes(this.#table, method, bucketing, undefined)) {
      if (this.#isOver) return;
      for (const row of batch) if (this.#staging !== undefined) stage(this.#staging.rows, row);
    }
  }

  async #unlessItFails(work: () => void | Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (isCancellation(error)) throw error;
      this.#lose(error);
    }
  }

  #lose(error: unknown): void {
    this.#entity.result.notes.push(`the baseline could not be kept: ${error instanceof Error ? error.message : error}`);
    this.#staging?.baseline.abandon();
    this.#staging = this.#take = undefined;
  }
}

function stage(staging: WholeStaging, { bucket, key, hash }: HashedRow): void {
  staging.add(bucket, keyHash(key), hash);
}

function taker(side: TableSide, bucketing: Bucketing, staging: WholeStaging): (row: Row) => void {
  const ranges = bucketing.scheme === "range"
    ? new RangeBuckets(side.forms[side.key[0]], bucketing.boundaries)
    : undefined;
  const buckets = bucketing.scheme === "range" ? 0 : bucketing.buckets;
  return (row) => {
    const key = keyOf(side, row);
    const bucket = ranges === undefined ? keyBucket(side, key, buckets) : ranges.find(key[0] as string);
    staging.add(bucket, keyHash(key), rowHash(side, row));
  };
}
