import { isCancellation } from "../../errors.ts";
import type { Dialect, Snapshot } from "../dialect.ts";
import { applySide } from "./apply/apply.ts";
import { InDoubt } from "./apply/transactions.ts";
import type { DatabaseRun, Entity } from "./database_run.ts";
import type { Side } from "./decide.ts";
import { discardBaselines, prepareBaselines } from "./settle.ts";
import { stageCopy } from "./stage_copy.ts";

/** Writes what is planned for the target, where anything is. */
export async function writeTarget(
  run: DatabaseRun,
  entities: Entity[],
  source: Snapshot,
  direct: Dialect["directCopy"],
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
  for (const entity of changed) {
    if (!entity.plan?.isCopy) continue;
    try {
      await stageCopy(run, entity, source);
    } catch (error) {
      if (isCancellation(error)) throw error;
      // The rows are there; without a baseline the next run is a first run again.
      entity.plan.isBaselineLost = true;
      entity.result.notes.push(`no baseline could be kept: ${error instanceof Error ? error.message : error}`);
    }
  }
}

/** The same for the source, in a transaction of its own after the target's. */
export async function writeSource(run: DatabaseRun, entities: Entity[]): Promise<void> {
  const changed = entities.filter((entity) => hasWork(entity, "source"));
  if (changed.length > 0) await applySide(run, "source", changed, undefined, undefined);
}

function hasWork({ plan, creation }: Entity, side: Side): boolean {
  if (plan === undefined) return false;
  if (side === "target" && (plan.isCopy || creation !== undefined)) return true;
  const files = Object.values(plan.changes[side]);
  if (side === "target") files.push(plan.loose.insert as never, plan.loose.delete as never);
  return files.some(({ lines }) => lines > 0);
}
