import { EngineError } from "../../../errors.ts";
import type { RowUpdate, Snapshot, Writer } from "../../dialect.ts";
import type { DatabaseError } from "../../error.ts";
import type { Row, TableSide } from "../../types.ts";
import type { DatabaseRun, Entity } from "../database_run.ts";
import type { Side } from "../decide.ts";
import { fetchRows } from "../fetch_rows.ts";
import { keyHash } from "../key_hash.ts";
import { type ChangeLine, COPIED, type EntityPlan } from "../plan.ts";
import { keyOf, keyWords } from "../report.ts";
import { type Effect, naming } from "./divide.ts";
import type { WriteItem } from "./write_item.ts";

/** Writes a batch of rows. */
export type RowsWork = (writer: Writer, items: WriteItem[]) => Promise<Effect>;

/** Writes rows of one entity on one side, each only where it is still what the comparison saw. */
export class EntityWriter {
  readonly entity: Entity;
  readonly plan: EntityPlan;
  readonly side: Side;
  readonly #run: DatabaseRun;
  readonly #source: Snapshot | undefined;
  /** Rows that the database refused. */
  refused = 0;

  constructor(run: DatabaseRun, side: Side, entity: Entity, source: Snapshot | undefined) {
    if (entity.plan === undefined) throw new Error(`Cannot write ${entity.name} before it is compared`);
    this.#run = run;
    this.side = side;
    this.entity = entity;
    this.plan = entity.plan;
    this.#source = source;
  }

  /** The table that is written. */
  get table(): TableSide {
    if (this.entity.pair === undefined) throw new Error(`Cannot write ${this.entity.name} before its table is there`);
    return this.entity.pair[this.side];
  }

  get batchSize(): number {
    return this.#run.request.batchSize;
  }

  /** The new rows of changes. */
  async fetch(lines: ChangeLine[]): Promise<(Row | undefined)[]> {
    const { pair } = this.entity;
    if (pair === undefined || this.#source === undefined) return lines.map(([, , , , row]) => row ?? undefined);
    const wanted = lines.filter(([, , , to]) => to !== null);
    const rows = await fetchRows("source", this.#source, pair, wanted.map(([, key]) => key));
    let at = 0;
    return lines.map(([, , , to]) => to === null ? undefined : rows[at++]);
  }

  readonly insert = async (writer: Writer, items: WriteItem[]): Promise<Effect> => {
    const { table, plan } = this;
    const rows = items.map(({ row }) => row as Row);
    const there = await naming(items, () => writer.insert(table, rows));
    const found = there.length === 0
      ? []
      : await writer.lock(table, plan.method, there.map((i) => keyOf(table, rows[i])));
    return () => {
      this.counted("inserted", items.length - there.length);
      for (const [n, i] of there.entries()) this.#unlessDone(items[i], found[n]?.hash);
    };
  };

  readonly update = async (writer: Writer, items: WriteItem[]): Promise<Effect> => {
    const { table } = this;
    const { updates, ready, guarded } = await this.lock(writer, items);
    if (updates.length > 0) await naming(ready, () => writer.update(table, updates));
    return () => {
      this.counted("updated", updates.length);
      guarded();
    };
  };

  readonly delete = async (writer: Writer, items: WriteItem[]): Promise<Effect> => {
    const { ready, guarded } = await this.lockAsSeen(writer, items);
    if (ready.length > 0) {
      await naming(ready, () => writer.delete(this.table, ready.map(({ line: [, key] }) => key)));
    }
    return () => {
      this.counted("deleted", ready.length);
      guarded();
    };
  };

  /** Locks rows and gives those that are still what they were, `found` in the order of `ready`. */
  async lockAsSeen(
    writer: Writer,
    items: WriteItem[],
  ): Promise<{ ready: WriteItem[]; found: Row[]; guarded: Effect }> {
    const { table, plan } = this;
    const locked = await writer.lock(table, plan.method, items.map(({ line: [, key] }) => key));
    const ready: WriteItem[] = [];
    const found: Row[] = [];
    const others: [WriteItem, bigint | undefined][] = [];
    for (const [i, item] of items.entries()) {
      const now = locked[i];
      if (now === undefined || hex(now.hash) !== item.line[2]) others.push([item, now?.hash]);
      else {
        ready.push(item);
        found.push(now.row);
      }
    }
    return { ready, found, guarded: () => others.forEach(([item, hash]) => this.#unlessDone(item, hash)) };
  }

  /** The same for updates, with what changes; rows of which nothing does are left out. */
  async lock(
    writer: Writer,
    items: WriteItem[],
  ): Promise<{ updates: RowUpdate[]; ready: WriteItem[]; guarded: Effect }> {
    const { ready, found, guarded } = await this.lockAsSeen(writer, items);
    const updates = ready.map(({ line: [, key], row }, i): RowUpdate => {
      return { key, row: row as Row, changed: differing(row as Row, found[i]) };
    });
    const changes = (_: unknown, i: number) => updates[i].changed.length > 0;
    return { updates: updates.filter(changes), ready: ready.filter(changes), guarded };
  }

  /** What becomes of a row that the database refused. @throws EngineError where everything is one transaction */
  refuse(key: Row, line: ChangeLine | undefined, error: DatabaseError): void {
    if (this.#run.request.useTransactions) throw this.refusal(key, error);
    this.refused++;
    this.#run.report.addError(this.#name(key), words(error));
    if (line !== undefined) this.keep(line);
  }

  /** The error that ends everything. */
  refusal(key: Row | undefined, error: DatabaseError): EngineError {
    const details = `${this.side}: ${key === undefined ? this.entity.name : this.#name(key)}: ${words(error)}`;
    return new EngineError("database-failed", "The database refused a row", details, { cause: error });
  }

  #name(key: Row): string {
    return `${this.entity.name} (${keyWords(this.table, key)})`;
  }

  /** The row is not written: the baseline is to hold what it held. */
  keep([bucket, key, from, , , ours]: ChangeLine): void {
    if (bucket === COPIED) this.plan.isBaselineLost = true;
    let kept = this.plan.kept.get(bucket);
    if (kept === undefined) this.plan.kept.set(bucket, kept = new Map());
    kept.set(keyHash(key), ours && from !== null ? BigInt(`0x${from}`) : undefined);
  }

  /** Tells the baseline of a row's value on the way, so that a run after a kill does not take it for somebody's change. */
  noteWrites(writes: [line: ChangeLine, hash: bigint | undefined][]): void {
    const { baseline } = this.plan;
    if (baseline?.bucketing === undefined) return;
    for (const [[bucket, key], to] of writes) {
      baseline.addIntents(bucket, [{ keyHash: keyHash(key), side: this.side, to }]);
    }
  }

  /** Counts rows that were written. */
  counted(what: "inserted" | "updated" | "deleted", rows: number): void {
    this.entity.result[what] += rows;
    this.#run.progress.figures.rowsWritten += rows;
  }

  /** Counts rows of a copy. */
  copied(rows: number): void {
    this.entity.result.inserted += rows;
  }

  progressed(rows: number): void {
    this.#run.progress.figures.rowsWritten += rows;
  }

  /** A row of a copy was there already, though the table was empty. */
  guardCopied(key: Row): void {
    this.#run.report.addConflict(this.entity.result, this.table, key, { kind: "guard", resolution: "unresolved" });
    this.plan.isBaselineLost = true;
  }

  refuseCopied(key: Row, error: DatabaseError): void {
    this.refuse(key, undefined, error);
    this.plan.isBaselineLost = true;
  }

  /** Somebody else made it what it shall be, or something else. */
  #unlessDone(item: WriteItem, hash: bigint | undefined): void {
    if ((hash === undefined ? null : hex(hash)) !== item.line[3]) this.#guard(item);
  }

  #guard({ line }: WriteItem): void {
    const { entity: { result }, table } = this;
    this.#run.report.addConflict(result, table, line[1], { kind: "guard", resolution: "unresolved" });
    this.keep(line);
  }
}

export function differing(row: Row, other: Row): number[] {
  return [...row.keys()].filter((i) => row[i] !== other[i]);
}

function words({ message, place: { column } }: DatabaseError): string {
  if (column === undefined || message.startsWith(`${column}: `)) return message;
  const isNamed = ['"', "'", "`"].some((quote) => message.includes(quote + column + quote));
  return isNamed ? message : `column "${column}": ${message}`;
}

function hex(hash: bigint): string {
  return hash.toString(16);
}
