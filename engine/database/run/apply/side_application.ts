import type { DirectWays, Snapshot, Writer } from "../../dialect.ts";
import type { DatabaseError } from "../../error.ts";
import type { DatabaseRun, Entity } from "../database_run.ts";
import type { Change, Side } from "../decide.ts";
import { LineFile } from "../line_file.ts";
import type { ChangeLine } from "../plan.ts";
import type { Row } from "../../types.ts";
import { type Carry, carryRows } from "./carry.ts";
import { copyTable } from "./copy.ts";
import { CopyMemory } from "./copy_memory.ts";
import { type Cause, DelayedRows } from "./delayed_rows.ts";
import { type Effect, isOfARow, ItemRefused, onBehalf } from "./divide.ts";
import { EntityWriter, type RowsWork } from "./entity_writer.ts";
import { deleteLoose, insertLoose } from "./loose_writes.ts";
import { backwardKeys, cascadesInto, inParentOrder } from "./order.ts";
import type { Transactions } from "./transactions.ts";
import { type CirclePart, deleteCircle, finishRows, nullable, swapUnique, vacate, without } from "./two_steps.ts";
import { itemBatches, type WriteItem } from "./write_item.ts";

export interface SideParts {
  run: DatabaseRun;
  side: Side;
  entities: Entity[];
  /** Where the target's new rows come from. */
  source: Snapshot | undefined;
  direct: DirectWays | undefined;
}

type Postpone = (items: WriteItem[], error: DatabaseError) => boolean;

/**
 * Writes everything that is planned for one side, in an order that breaks nothing on the way: parents before children, new and
 * changed rows before others are deleted, so that a cascade takes no row that moves. What is refused because another row is in
 * its way or not there yet waits, and is tried again when the others are written.
 */
export class SideApplication implements Disposable {
  readonly #parts: SideParts;
  readonly #transactions: Transactions;
  readonly #delayed: DelayedRows;
  readonly #entities: Entity[];
  /** In the order of their foreign keys. */
  readonly #writers: EntityWriter[];
  readonly #deleted = new Set<EntityWriter>();
  /** Where they are not the plan's any more. */
  readonly #deletions = new Map<EntityWriter, LineFile<ChangeLine>>();

  constructor(parts: SideParts, transactions: Transactions) {
    const { run, side, entities, source } = parts;
    this.#parts = parts;
    this.#transactions = transactions;
    this.#delayed = new DelayedRows(run.input.workspace, side);
    this.#entities = inParentOrder(entities, side);
    this.#writers = this.#entities.map((entity) => new EntityWriter(run, side, entity, source));
  }

  async write(): Promise<void> {
    const { run: { progress }, side } = this.#parts;
    for (const writer of this.#writers) {
      progress.say(`Writing ${writer.entity.name}`);
      if (writer.plan.isCopy) await this.#copy(writer);
      await this.#pass(writer, "insert");
      await this.#pass(writer, "update");
      if (side === "target") await insertLoose(writer, this.#transactions);
    }
    await this.#writeDelayed();
    for (const writer of this.#writers.toReversed()) {
      progress.say(`Deleting from ${writer.entity.name}`);
      await this.#delete(writer);
      if (side === "target") await deleteLoose(writer, this.#transactions);
    }
    await this.#deleteDelayed();
  }

  async #copy(writer: EntityWriter): Promise<void> {
    const { run, source } = this.#parts;
    if (source === undefined) return;
    const { direct: ways } = this.#parts;
    const isMeant = writer.entity.pair?.source.filter === undefined && (run.request.useTransactions || !ways?.locks);
    const direct = isMeant ? ways?.copy : undefined;
    const way = direct === undefined ? "rows" : ways?.tellsHashes ? "sink" : undefined;
    await using memory = await CopyMemory.begin(run, writer.entity, source, way);
    await copyTable(writer, {
      source,
      transactions: this.#transactions,
      direct,
      memory,
      postpone: this.#postponing(writer, "insert"),
      checkpoint: this.#checkpoint,
    });
    await memory.end();
  }

  /** Writes an entity's changes of one kind; what may succeed later waits. */
  async #pass(writer: EntityWriter, change: Change, lines = writer.plan.changes[writer.side][change]): Promise<void> {
    const write = (lines: Iterable<ChangeLine>) => {
      return this.#lines(writer, lines, writer[change], this.#postponing(writer, change));
    };
    const carry = this.#carry(writer, change);
    if (carry === undefined) return await write(lines.read());
    await carryRows(writer, lines.read(), carry, {
      transactions: this.#transactions,
      checkpoint: this.#checkpoint,
      otherwise: write,
    });
  }

  /** How rows are carried without a look at them, where that can be. */
  #carry(writer: EntityWriter, change: Change): Carry | undefined {
    const { source, direct } = this.#parts;
    const { entity: { pair }, plan } = writer;
    if (source === undefined || direct === undefined || pair === undefined || change === "delete") return undefined;
    const carrier = direct.carrier?.({ snapshot: source, side: pair.source }, pair.target, plan.method);
    const write = carrier?.[change];
    return carrier === undefined || write === undefined ? undefined : { change, carrier, write };
  }

  #postponing(writer: EntityWriter, change: Change): Postpone {
    return (items, { kind }) => {
      if (kind !== "unique" && kind !== "foreign-key" || change === "delete" && kind === "unique") return false;
      this.#delayed.add(writer, change, kind, items);
      return true;
    };
  }

  async #lines(
    writer: EntityWriter,
    lines: Iterable<ChangeLine>,
    work: RowsWork,
    postpone?: Postpone,
  ): Promise<void> {
    const refuse = ({ line }: WriteItem, error: DatabaseError) => writer.refuse(line[1], line, error);
    const refusals = postpone === undefined ? { refuse } : { refuse, postpone };
    for await (const items of itemBatches(lines, writer.batchSize, (lines) => writer.fetch(lines))) {
      this.#checkpoint();
      await this.#transactions.batch(items, work, refusals);
    }
  }

  /**
   * Writes what waited, this time for good: where unique values move, there is room for them first, and where tables refer to each
   * other in a circle, references are NULL until all rows are there.
   */
  async #writeDelayed(): Promise<void> {
    using files = new DisposableStack();
    const incomplete: [EntityWriter, LineFile<ChangeLine>][] = [];
    for (const writer of this.#writers) {
      if (!this.#waiting().includes(writer.entity)) continue;
      this.#parts.run.progress.say(`Writing ${writer.entity.name}, rows that waited for others`);
      const areMoving = this.#delayed.has(writer, "insert", "unique") || this.#delayed.has(writer, "update", "unique");
      if (areMoving) await this.#makeRoom(writer);
      const positions = nullable(writer, backwardKeys(writer.entity, this.#entities, writer.side));
      const take = (change: Change, cause: Cause) => {
        const lines = files.use(this.#delayed.take(writer, change, cause));
        if (lines !== undefined && positions.length > 0) incomplete.push([writer, lines]);
        return lines;
      };
      const prepare = (items: WriteItem[]) => {
        return items.map(({ line, row }) => ({ line, row: without(row as Row, positions) }));
      };
      const insert: RowsWork = (to, items) => onBehalf(items, prepare(items), (made) => writer.insert(to, made));
      const update: RowsWork = (to, items) => onBehalf(items, prepare(items), (made) => writer.update(to, made));
      const swaps = take("update", "unique");
      if (swaps !== undefined) {
        const swap = swapUnique(writer, swaps, prepare, this.#checkpoint);
        if (!await this.#together(() => writer, swap)) await this.#lines(writer, swaps.read(), update);
      }
      for (const cause of ["unique", "foreign-key"] as const) {
        const lines = take("insert", cause);
        if (lines !== undefined) await this.#lines(writer, lines.read(), insert);
      }
      const lines = take("update", "foreign-key");
      if (lines !== undefined) await this.#lines(writer, lines.read(), update);
    }
    for (const [writer, lines] of incomplete) {
      await this.#lines(writer, lines.read(), (to, items) => finishRows(writer, to, items));
    }
  }

  /** Frees the unique values of rows that are to be deleted: by deleting them, or where that must wait, by taking the values. */
  async #makeRoom(writer: EntityWriter): Promise<void> {
    const { run: { input }, side } = this.#parts;
    if (!cascadesInto(writer.entity, this.#waiting(), side)) await this.#delete(writer);
    const isTried = this.#deleted.has(writer);
    const left = isTried ? this.#delayed.take(writer, "delete", "foreign-key") : this.#deletionsOf(writer);
    if (left === undefined || left.lines === 0) return;
    const rest = new LineFile<ChangeLine>(`${input.workspace}/${side}-vacated-${writer.entity.index}`);
    const isDone = await this.#together(() => writer, vacate(writer, left, rest, this.#checkpoint));
    const now = isDone ? rest : left;
    if (isTried) this.#delayed.put(writer, "delete", "foreign-key", now);
    else this.#deletions.set(writer, now);
  }

  #deletionsOf(writer: EntityWriter): LineFile<ChangeLine> {
    return this.#deletions.get(writer) ?? writer.plan.changes[writer.side].delete;
  }

  /** Entities of which rows are still to be written, or were refused. */
  #waiting(): Entity[] {
    const waits = (writer: EntityWriter) => {
      return writer.refused > 0 || (["insert", "update"] as const).some((change) => {
        return this.#delayed.has(writer, change, "unique") || this.#delayed.has(writer, change, "foreign-key");
      });
    };
    return this.#writers.filter(waits).map(({ entity }) => entity);
  }

  /** Not where a row that should have moved away is still there to be taken along. */
  async #delete(writer: EntityWriter): Promise<void> {
    if (this.#deleted.has(writer)) return;
    this.#deleted.add(writer);
    const lines = this.#deletionsOf(writer);
    if (lines.lines === 0) return;
    if (!cascadesInto(writer.entity, this.#waiting(), writer.side)) return await this.#pass(writer, "delete", lines);
    const words = `${lines.lines} rows were not deleted, because rows that refer to them could not be written`;
    this.#parts.run.report.addError(writer.entity.name, words);
    for (const line of lines.read()) writer.keep(line);
  }

  /** Rows that others referred to, round by round as long as that helps. */
  async #deleteDelayed(): Promise<void> {
    const count = () => this.#writers.reduce((sum, writer) => sum + this.#delayed.lines(writer, "delete"), 0);
    for (let left = count(), before = Infinity; left > 0 && left < before; before = left, left = count()) {
      for (const writer of this.#writers.toReversed()) {
        using lines = this.#delayed.take(writer, "delete", "foreign-key");
        if (lines !== undefined) await this.#pass(writer, "delete", lines);
      }
    }
    using files = new DisposableStack();
    const parts = this.#writers.toReversed().flatMap((target): CirclePart[] => {
      const lines = files.use(this.#delayed.take(target, "delete", "foreign-key"));
      const keys = backwardKeys(target.entity, this.#entities, target.side);
      return lines === undefined ? [] : [{ target, keys, lines }];
    });
    if (!parts.some(({ target, keys }) => nullable(target, keys).length > 0) || !await this.#deleteCircle(parts)) {
      for (const { target, lines } of parts) await this.#lines(target, lines.read(), target.delete);
    }
  }

  async #deleteCircle(parts: CirclePart[]): Promise<boolean> {
    let [{ target }] = parts;
    return await this.#together(() => target, deleteCircle(parts, this.#checkpoint, (now) => target = now));
  }

  /**
   * @param writer whose rows it is about at the moment
   * @returns whether it was done; false: a row was refused, and nothing was done
   */
  async #together(writer: () => EntityWriter, work: (to: Writer) => Promise<Effect>): Promise<boolean> {
    try {
      return await this.#transactions.together(work) === undefined;
    } catch (error) {
      // Where everything is one transaction, that is its end: the row is named.
      const { item, cause } = error instanceof ItemRefused ? error : { item: undefined, cause: error };
      if (!isOfARow(cause)) throw error;
      throw writer().refusal((item as WriteItem | undefined)?.line[1], cause);
    }
  }

  readonly #checkpoint = () => this.#parts.run.progress.checkpoint();

  [Symbol.dispose](): void {
    this.#delayed[Symbol.dispose]();
    for (const file of this.#deletions.values()) file[Symbol.dispose]();
  }
}
