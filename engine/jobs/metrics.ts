import type { MetricTotals } from "../state/types.ts";
import type { Metrics } from "./types.ts";

/** The stored sums as clients are told them. */
export function metricsOf(totals: MetricTotals): Metrics {
  return {
    totalSyncOperations: totals.totalSyncOperations,
    successfulSyncs: totals.successfulSyncs,
    failedSyncs: totals.failedSyncs,
    averageSyncDuration: totals.timedSyncs === 0 ? 0 : Math.round(totals.totalSyncDuration / totals.timedSyncs),
    totalDataTransferred: totals.totalDataTransferred,
    cloudStorageUsage: totals.cloudStorageUsage,
  };
}
