import { isCancellation } from "../../errors.ts";
import type { Dialect, Snapshot } from "../dialect.ts";
import { applySide } from "./apply/apply.ts";
import { InDoubt } from "./apply/transactions.ts";
import type { DatabaseRun, Entity } from "./database_run.ts";
import type { Side } from "./decide.ts";
import { discardBaselines, prepareBaselines, settleBaseline } from "./settle.ts";
import { recutBaseline } from "./whole_baselines.ts";

/** Writes what is planned for the target, where anything is. */
export async function writeTarget(
  run: DatabaseRun,
  entities: Entity[],
  source: Snapshot,
  direct: Dialect["direct"],
): Promise<void> {
  prepareBaselines(entities);
  const { figures } = run.progress;
  for (const { result } of entities) {
    figures.rowsToWrite += result.inserted + result.updated + result.deleted;
    result.inserted = result.updated = result.deleted = 0;
  }
  const changed = entities.filter((entity) => hasWork(entity, "target"));
  if (changed.length === 0) return;
  try {
    await applySide(run, "target", changed, source, direct);
  } catch (error) {
    if (run.request.useTransactions && !(error instanceof InDoubt)) discardBaselines(entities);
    throw error;
  }
}

/** Everything is written: what cannot be remembered is only told. */
async function unlessItFails({ result }: Entity, work: () => void | Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (isCancellation(error)) throw error;
    result.notes.push(`the baseline could not be kept: ${error instanceof Error ? error.message : error}`);
  }
}

/** Ends a run that had nothing to write to the source: what was set aside becomes the baselines. */
export async function endOneWay(run: DatabaseRun, entities: Entity[], source: Snapshot): Promise<void> {
  for (const entity of entities) {
    await unlessItFails(entity, async () => {
      settleBaseline(entity);
      const uneven = entity.plan?.uneven;
      if (uneven !== undefined) await recutBaseline(run, entity, source, uneven);
    });
  }
}

/** The same for the source, in a transaction of its own after the target's. */
export async function writeSource(run: DatabaseRun, entities: Entity[]): Promise<void> {
  const changed = entities.filter((entity) => hasWork(entity, "source"));
  await applySide(run, "source", changed, undefined, undefined);
  for (const entity of entities) await unlessItFails(entity, () => settleBaseline(entity));
}

export function hasSourceWork(entities: Entity[]): boolean {
  return entities.some((entity) => hasWork(entity, "source"));
}

function hasWork({ plan, creation }: Entity, side: Side): boolean {
  if (plan === undefined) return false;
  if (side === "target" && (plan.isCopy || creation !== undefined)) return true;
  const files = Object.values(plan.changes[side]);
  if (side === "target") files.push(plan.loose.insert as never, plan.loose.delete as never);
  return files.some(({ lines }) => lines > 0);
}
