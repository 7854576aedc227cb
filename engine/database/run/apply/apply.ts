import { EngineError } from "../../../errors.ts";
import type { DirectWays, Snapshot, Writer } from "../../dialect.ts";
import { DatabaseError } from "../../error.ts";
import type { TableSide } from "../../types.ts";
import type { DatabaseRun, Entity } from "../database_run.ts";
import type { Side } from "../decide.ts";
import { failure } from "../failure.ts";
import { notAPair, pairEntity } from "../find_entities.ts";
import { isOfARow } from "./divide.ts";
import { inParentOrder } from "./order.ts";
import { SideApplication, type SideParts } from "./side_application.ts";
import { BatchTransactions, InDoubt, OneTransaction, WriterSource } from "./transactions.ts";

/**
 * Writes one side's changes: in one transaction, which rolls back with the first row that is refused, or in one for each batch,
 * where what is refused is reported and left.
 *
 * @throws EngineError
 */
export async function applySide(
  run: DatabaseRun,
  side: Side,
  entities: Entity[],
  source: Snapshot | undefined,
  direct: DirectWays | undefined,
): Promise<void> {
  const parts: SideParts = { run, side, entities, source, direct };
  await using writers = new WriterSource(run.connections[side], side, run.context.signal);
  try {
    if (run.request.useTransactions) await applyWhole(parts, writers);
    else await applyInBatches(parts, writers);
  } catch (error) {
    if (run.request.useTransactions && makesTablesEarly(run, side)) await dropMade(parts, error);
    throw withMade(failure(error, side), parts);
  }
}

/** Undoes what the transaction's rollback does not: the tables that were made before it. */
async function dropMade({ run, side, entities }: SideParts, error: unknown): Promise<void> {
  const made = entities.filter(({ result, pair }) => result.created && pair !== undefined);
  if (made.length === 0 || error instanceof InDoubt || run.context.signal.aborted) return;
  const tables = new Map(inParentOrder(made, side).reverse().map((entity) => [entity.pair![side].table, entity]));
  try {
    await using writer = await run.connections[side].writer();
    for (const table of await writer.dropEmpty?.([...tables.keys()]) ?? []) tables.get(table)!.result.created = false;
  } catch (error) {
    // They stay, and the failure that brought this about says so.
    if (!(error instanceof DatabaseError)) throw error;
  }
}

/** Where tables are made outside of the transaction, a failure may leave them there, and says so. */
function withMade(error: unknown, { run, side, entities }: SideParts): unknown {
  if (side === "source") return error;
  const made = entities.filter(({ result }) => result.created).map(({ result }) => result.target);
  const isWhole = run.request.useTransactions && !makesTablesEarly(run, side);
  if (!(error instanceof EngineError) || error instanceof InDoubt || made.length === 0 || isWhole) return error;
  const details = `${error.details}; the tables that were made for it are still there: ${made.join(", ")}`;
  return new EngineError(error.kind, error.message, details, { cause: error.cause });
}

/** MySQL commits whenever a table is made, so there it is done before the transaction. */
function makesTablesEarly({ connections }: DatabaseRun, side: Side): boolean {
  return connections[side].server.engine === "mysql";
}

async function applyWhole(parts: SideParts, writers: WriterSource): Promise<void> {
  const { run, side, entities } = parts;
  const reset = startingPoint(run, entities);
  const isEarly = makesTablesEarly(run, side);
  const create = (writer: Writer) => createTables(run, side, entities, writer);
  await writers.transaction(async (writer) => {
    reset(!isEarly);
    if (!isEarly) await create(writer);
    using application = new SideApplication(parts, new OneTransaction(writer));
    await application.write();
    for (const table of numbered(entities, side)) await writer.advanceIdentity(table);
    run.progress.say("Committing");
  }, isEarly ? create : undefined);
}

async function applyInBatches(parts: SideParts, writers: WriterSource): Promise<void> {
  const { run, side, entities } = parts;
  if (entities.some(({ creation }) => creation !== undefined)) {
    await writers.transaction((writer) => createTables(run, side, entities, writer));
  }
  using application = new SideApplication(parts, new BatchTransactions(writers));
  await application.write();
  for (const table of numbered(entities, side)) {
    try {
      await writers.transaction((writer) => writer.advanceIdentity(table));
    } catch (error) {
      if (!isOfARow(error) && !(error instanceof DatabaseError && error.kind === "permission")) throw error;
      run.report.addError(table.table.id, `the numbering of its rows could not be advanced: ${error.message}`);
    }
  }
}

/** What a run has told and counted so far, to go back to where work is rolled back and done again. */
function startingPoint({ report }: DatabaseRun, entities: Entity[]): (unmake: boolean) => void {
  const mark = report.mark();
  const results = entities.map(({ result }) => ({ ...result, notes: [...result.notes] }));
  return (unmake) => {
    report.rewind(mark);
    for (const [i, entity] of entities.entries()) {
      const { created, target, notes } = unmake ? results[i] : entity.result;
      Object.assign(entity.result, results[i], { created, target, notes: [...notes] });
      if (unmake && entity.creation !== undefined) entity.target = entity.pair = undefined;
      if (entity.plan === undefined) continue;
      entity.plan.kept = new Map();
      entity.plan.isBaselineLost = false;
    }
  };
}

/** Makes the tables that are missing, those first that others refer to. @throws EngineError */
async function createTables(run: DatabaseRun, side: Side, entities: Entity[], writer: Writer): Promise<void> {
  if (side === "source") return;
  const problems: string[] = [];
  const made: Entity[] = [];
  for (const entity of inParentOrder(entities, side)) {
    const { creation, name, source, result } = entity;
    if (creation === undefined || entity.target !== undefined) continue;
    run.progress.say(`Making ${name}`);
    try {
      await writer.create(creation.statements);
      // As the statements call it: with its schema, where it has one and the engine knows any.
      const called = run.connections[side].server.engine === "postgres" ? source.id : source.name;
      result.created = makesTablesEarly(run, side);
      pairEntity(run, entity, await writer.find(called), problems);
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.kind === "connection") throw error;
      const details = `${side}: ${name}: ${error.message}`;
      throw new EngineError("database-failed", "A missing table could not be made", details, { cause: error });
    }
    made.push(entity);
  }
  if (problems.length > 0) throw notAPair(problems);
  for (const { result } of made) result.created = true;
}

/** The tables whose server is to go on numbering after what was inserted. */
function numbered(entities: Entity[], side: Side): TableSide[] {
  const inserted = entities.flatMap(({ result, pair }) =>
    result.inserted > 0 && pair !== undefined ? [pair[side]] : []
  );
  return inserted.filter(({ columns }) => columns.some(({ identity }) => identity));
}
