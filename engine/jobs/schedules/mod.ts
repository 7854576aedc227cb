/** Schedules: operations that run by themselves, with their history. */
export { cronFault } from "./cron.ts";
export { type Perform, type PerformOutcome, Scheduler } from "./scheduler.ts";
export * from "./types.ts";
