import { EngineError } from "../../../errors.ts";
import type { DirectCopy, Snapshot, Writer } from "../../dialect.ts";
import { DatabaseError } from "../../error.ts";
import type { DatabaseRun, Entity } from "../database_run.ts";
import type { Side } from "../decide.ts";
import { failure } from "../failure.ts";
import { notAPair, pairEntity } from "../find_entities.ts";
import { inParentOrder } from "./order.ts";
import { SideApplication, type SideParts } from "./side_application.ts";
import { BatchTransactions, OneTransaction, WriterSource } from "./transactions.ts";

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
  direct: DirectCopy | undefined,
): Promise<void> {
  const parts: SideParts = { run, side, entities, source, direct };
  await using writers = new WriterSource(run.connections[side], side, run.context.signal);
  try {
    if (run.request.useTransactions) await applyWhole(parts, writers);
    else await applyInBatches(parts, writers);
  } catch (error) {
    throw failure(error, side);
  }
}

async function applyWhole(parts: SideParts, writers: WriterSource): Promise<void> {
  const { run, side, entities } = parts;
  const reset = startingPoint(run, entities);
  // MySQL commits whenever a table is made, so there it is done before.
  const isEarly = run.connections[side].server.engine === "mysql";
  const create = (writer: Writer) => createTables(run, side, entities, writer);
  await writers.transaction(async (writer) => {
    reset(!isEarly);
    if (!isEarly) await create(writer);
    using application = new SideApplication(parts, new OneTransaction(writer));
    await application.write();
    await advance(writer, entities, side);
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
  await writers.transaction((writer) => advance(writer, entities, side));
}

/** What a run has told and counted so far, to go back to where work is rolled back and done again. */
function startingPoint({ report }: DatabaseRun, entities: Entity[]): (unmake: boolean) => void {
  const mark = report.mark();
  const results = entities.map(({ result }) => ({ ...result }));
  return (unmake) => {
    report.rewind(mark);
    for (const [i, entity] of entities.entries()) {
      Object.assign(entity.result, results[i]);
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
  for (const entity of inParentOrder(entities, side)) {
    const { creation, name, source, result } = entity;
    if (creation === undefined || entity.target !== undefined) continue;
    run.progress.say(`Making ${name}`);
    try {
      await writer.create(creation.statements);
      pairEntity(run, entity, await writer.find(source.name), problems);
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.kind === "connection") throw error;
      const details = `${side}: ${name}: ${error.message}`;
      throw new EngineError("database-failed", "A missing table could not be made", details, { cause: error });
    }
    result.created = true;
  }
  if (problems.length > 0) throw notAPair(problems);
}

/** What the server numbers itself goes on after what was inserted. */
async function advance(writer: Writer, entities: Entity[], side: Side): Promise<void> {
  for (const { result, pair } of entities) {
    const table = pair?.[side];
    if (result.inserted > 0 && table?.columns.some(({ identity }) => identity)) await writer.advanceIdentity(table);
  }
}
