import type { Entity } from "./database_run.ts";

/** Makes what was set aside in baselines permanent before anything is written. */
export function prepareBaselines(entities: Entity[]): void {
  for (const { plan } of entities) if (plan?.isStaged) plan.baseline?.prepared();
}

/** Makes what was set aside the baseline, after everything was written. */
export function settleBaseline({ plan }: Entity): void {
  if (plan?.baseline === undefined || !plan.isStaged) return;
  if (plan.isBaselineLost) plan.baseline.discard();
  else plan.baseline.settle(plan.isWholeBaseline ? plan.bucketing : undefined, plan.kept);
}

/** Forgets what was set aside, where it is certain that nothing was written. */
export function discardBaselines(entities: Entity[]): void {
  for (const { plan } of entities) if (plan?.isStaged) plan.baseline?.discard();
}
