import type { Row } from "../types.ts";
import type { Intent } from "./baseline/baseline.ts";
import { HashList } from "./baseline/hash_list.ts";
import type { DatabaseRun, Entity, Snapshots } from "./database_run.ts";
import { decide, type DecisionRules, type RowState, type Verdict, write, type WriteDecision } from "./decide.ts";
import type { DifferenceFile } from "./difference_file.ts";
import { fetchRows } from "./fetch_rows.ts";
import { conflictColumnOf } from "./find_entities.ts";
import { compareValues } from "../compare_values.ts";
import { joinRows } from "./join_rows.ts";
import { keyHash } from "./key_hash.ts";
import type { TablePair } from "./pairing.ts";
import type { EntityPlan } from "./plan.ts";
import type { Portion } from "./read_groups.ts";
import { PendingBase, type SegmentBase, segmentBase } from "./segment_base.ts";
import type { Checksums, SegmentGroup } from "./segments.ts";

/** A row that is not the same on both sides, and what becomes of it. */
interface Decided {
  bucket: number;
  key: Row;
  keyHash: bigint;
  source: RowState;
  target: RowState;
  base: RowState;
  decision: Verdict;
}

/** A segment as it shall be, put together from its portions. */
interface SegmentState {
  rows: HashList;
  intents: Intent[];
  base: SegmentBase;
}

export interface DecisionParts {
  run: DatabaseRun;
  entity: Entity;
  plan: EntityPlan;
  pair: TablePair;
  snapshots: Snapshots;
  checksums: { source: Checksums; target: Checksums; base: Checksums };
  pending: Set<number>;
  /** Where the differences are wanted row by row. */
  differences: DifferenceFile | undefined;
}

/** Whole rows held in memory, where they are wanted. */
const ROWS_AT_ONCE = 500;

/** Decides what becomes of the rows of segments that differ, and writes it into the plan. */
export class RowDecisions {
  readonly #parts: DecisionParts;
  readonly #rules: DecisionRules;

  constructor(parts: DecisionParts) {
    this.#parts = parts;
    const { request } = parts.run;
    this.#rules = {
      twoWay: request.direction === "two-way",
      strategy: request.conflictStrategy,
      deleteMissing: request.deleteMissingInTarget,
      hasBaseline: parts.plan.baseline?.bucketing !== undefined,
    };
  }

  /** Takes the portions of a group one after the other. */
  async decideGroup(group: SegmentGroup, portions: AsyncIterable<Portion>): Promise<void> {
    const states = new Map<number, SegmentState>();
    const both = new Set(group.both);
    const isSplit = both.size + group.sourceOnly.length === 1;
    for await (const portion of portions) {
      await this.#decidePortion(portion, both, states);
      if (!isSplit) this.#finish(states);
    }
    this.#finish(states);
  }

  async #decidePortion(portion: Portion, both: Set<number>, states: Map<number, SegmentState>): Promise<void> {
    const { pair, plan, run } = this.#parts;
    const decided: Decided[] = [];
    for (const [bucket, { source, target }] of portion) {
      const state = this.#stateOf(bucket, both.has(bucket), states);
      if (!both.has(bucket)) {
        for (const { key, hash } of source) state.rows.add(keyHash(key), hash);
        continue;
      }
      for (const row of joinRows(source, target, pair)) {
        const name = plan.baseline === undefined ? 0n : keyHash(row.key);
        const base = state.base.of(name, row.source, row.target);
        const decision = decide(row.source, row.target, base, this.#rules);
        if (decision.action !== "none") decided.push({ ...row, bucket, keyHash: name, base, decision });
        else keep(state, name, decision.agreed ? row.source : base);
      }
      run.progress.checkpoint();
    }
    for (let at = 0; at < decided.length; at += ROWS_AT_ONCE) {
      const some = decided.slice(at, at + ROWS_AT_ONCE);
      await this.#resolveNewest(some);
      await this.#describe(some);
      const rows = await this.#rowsForSource(some);
      for (const [i, each] of some.entries()) this.#add(each, states.get(each.bucket) as SegmentState, rows[i]);
    }
  }

  #stateOf(bucket: number, isCompared: boolean, states: Map<number, SegmentState>): SegmentState {
    let state = states.get(bucket);
    if (state !== undefined) return state;
    const { plan, checksums, pending } = this.#parts;
    const { baseline } = plan;
    const base = baseline !== undefined && pending.has(bucket)
      ? new PendingBase(bucket, baseline)
      : segmentBase(bucket, isCompared && this.#rules.hasBaseline ? baseline : undefined, checksums);
    state = { rows: new HashList(checksums.source.get(bucket)?.rows), intents: [], base };
    states.set(bucket, state);
    return state;
  }

  #finish(states: Map<number, SegmentState>): void {
    const { plan, run } = this.#parts;
    if (plan.baseline !== undefined && !run.request.dryRun) {
      for (const [bucket, { rows, intents, base }] of states) {
        if (base instanceof PendingBase) plan.baseline.absorb(bucket, base.rows);
        plan.baseline.stage(bucket, rows);
        if (intents.length > 0 && this.#rules.hasBaseline) plan.baseline.addIntents(bucket, intents);
      }
    }
    states.clear();
  }

  /** The later of two rows by the conflict column; of the same time, the source's. */
  async #resolveNewest(decided: Decided[]): Promise<void> {
    const { pair, snapshots, run } = this.#parts;
    const open = decided.filter(({ decision }) => decision.action === "newest");
    if (open.length === 0) return;
    const at = conflictColumnOf(pair, run.request.conflictColumn as string);
    const keys = open.map(({ key }) => key);
    const [source, target] = await Promise.all([
      fetchRows("source", snapshots.source, pair, keys),
      fetchRows("target", snapshots.target, pair, keys),
    ]);
    for (const [i, each] of open.entries()) {
      const [a, b] = [source[i][at], target[i][at]];
      const { conflict } = each.decision as { conflict: string };
      const isTargetNewer = b !== null && (a === null || compareValues(pair.source.forms[at], a, b) < 0);
      each.decision = !isTargetNewer
        ? write("target", each.source, each.target, conflict)
        : this.#rules.twoWay
        ? write("source", each.target, each.source, conflict)
        : { action: "leave", conflict, resolution: "target" };
    }
  }

  /** What is written to the source comes from the target, whose snapshot has gone by then. */
  async #rowsForSource(decided: Decided[]): Promise<(Row | undefined)[]> {
    const { pair, snapshots, run } = this.#parts;
    const rows: (Row | undefined)[] = new Array(decided.length);
    if (!this.#rules.twoWay || run.request.dryRun) return rows;
    const wanted = [...decided.keys()].filter((i) => {
      const { decision, target } = decided[i];
      return decision.action === "write" && decision.side === "source" && target !== undefined;
    });
    const found = await fetchRows("target", snapshots.target, pair, wanted.map((i) => decided[i].key));
    for (const [n, i] of wanted.entries()) rows[i] = found[n];
    return rows;
  }

  async #describe(decided: Decided[]): Promise<void> {
    const { differences, pair, snapshots, entity } = this.#parts;
    if (differences === undefined) return;
    const writes = decided.filter(({ decision }) => decision.action === "write");
    const fetch = async (side: "source" | "target") => {
      const there = writes.filter((each) => each[side] !== undefined);
      const rows = await fetchRows(side, snapshots[side], pair, there.map(({ key }) => key));
      return new Map(there.map((each, i) => [each, rows[i]]));
    };
    const [source, target] = await Promise.all([fetch("source"), fetch("target")]);
    for (const each of writes) {
      const { side, change } = each.decision as WriteDecision;
      differences.add(entity, pair, {
        side,
        change,
        key: each.key,
        source: source.get(each),
        target: target.get(each),
      });
    }
  }

  #add(each: Decided, state: SegmentState, row: Row | undefined): void {
    const { entity: { result }, pair, plan, run } = this.#parts;
    const { bucket, key, keyHash, source, target, base, decision } = each;
    if (decision.action === "newest") throw new Error("Cannot plan a row before it is known who wrote it last");
    if (decision.action === "leave") {
      run.report.addConflict(result, pair.target, key, { kind: decision.conflict, resolution: decision.resolution });
      return keep(state, keyHash, base);
    }
    const { side, change, conflict } = decision;
    const [from, to] = side === "target" ? [target, source] : [source, target];
    if (conflict !== undefined) {
      const resolution = side === "target" ? "source" : "target";
      run.report.addConflict(result, pair.target, key, { kind: conflict, resolution });
    }
    result[`${change}${change.endsWith("e") ? "d" : "ed"}` as "inserted" | "updated" | "deleted"]++;
    if (!this.#rules.hasBaseline && !this.#rules.twoWay && change !== "insert") result.overwritten++;
    keep(state, keyHash, to);
    if (run.request.dryRun) return;
    state.intents.push({ keyHash, side, to });
    const line: Parameters<typeof plan.changes.source.insert.add>[0] = [bucket, key, hex(from), hex(to)];
    if (row !== undefined) line.push(row);
    plan.changes[side][change].add(line);
  }
}

function keep(state: SegmentState, keyHash: bigint, hash: RowState): void {
  if (hash !== undefined) state.rows.add(keyHash, hash);
}

function hex(hash: RowState): string | null {
  return hash === undefined ? null : hash.toString(16);
}
