import type { Run } from "./copy_bench.ts";
import type { Machine } from "./machine.ts";
import { SCENARIOS } from "./options.ts";
import { LOAD, type RequestRate } from "./requests.ts";
import { median, percentile } from "./stats.ts";
import type { CopyScenario } from "./tool.ts";

/** Ours divided by the tool's, at most. */
const RATIO_BOUNDS: Partial<Record<CopyScenario, Record<string, number>>> = {
  first: { rsync: 0.4, cp: 1.0 },
  nothing: { rsync: 1.0 },
  changed: { rsync: 1.0 },
  verify: { rsync: 1.0 },
  large: { cp: 1.0 },
};
const HEALTH_P99_MS = 25;
const MEMORY_BYTES = 400 * 1024 * 1024;
const REQUESTS_RATIO = 0.5;
/** Processors; above it, a run counts as disturbed. */
const BUSY = 0.2;

export interface Judged {
  value: number;
  bound: number;
  holds: boolean;
}

export interface CopyRow {
  scenario: CopyScenario;
  tool: string;
  milliseconds: number[];
  /** Processors that something else kept busy just before each of these runs. */
  busyBefore: number[];
  /** The most that the server held in these runs. */
  serverPeakBytes: number;
  medianMs: number;
  /** Including `sync -f` of the target afterwards. */
  medianWithFlushMs: number;
  /** Syncline's median divided by this one; null in its own rows. Judged where the issue sets a bound. */
  ratio: number | null;
  ratioWithFlush: number | null;
  judged: Judged | null;
}

export interface HealthRow {
  scenario: CopyScenario;
  requests: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  /** By how much the client itself was late to send, at the 99th percentile. */
  clientLateP99Ms: number;
  judged: Judged;
}

export interface RequestsRow {
  connections: number;
  syncline: RequestRate[];
  bareHono: RequestRate[];
  medianPerSecond: { syncline: number; bareHono: number };
  /** Bare Hono's processor time for a request divided by ours. */
  processorRatio: number;
  judged: Judged;
}

export interface Measurements {
  machine: Machine;
  versions: Record<string, string>;
  missing: string[];
  tree: Record<string, number | string | null>;
  largeBytes: number;
  changedFiles: number;
  rounds: number;
  runs: readonly Run[];
  requests: { syncline: RequestRate[]; bareHono: RequestRate[] };
  /** Of the server from its start to its end. */
  serverPeakBytes: number;
  notes: string[];
}

export interface Report extends Omit<Measurements, "runs" | "requests" | "serverPeakBytes"> {
  measuredAt: string;
  copies: CopyRow[];
  health: HealthRow[];
  memory: Judged;
  requests: RequestsRow | null;
  holds: boolean;
}

/** Medians, ratios and verdicts. Pure but for the clock. */
export function makeReport(measurements: Measurements): Report {
  const { runs, requests, serverPeakBytes, ...rest } = measurements;
  const copies = copyRows(runs);
  const health = healthRows(runs);
  const memory = { value: serverPeakBytes, bound: MEMORY_BYTES, holds: serverPeakBytes < MEMORY_BYTES };
  const row = requests.syncline.length === 0 ? null : requestsRow(requests.syncline, requests.bareHono);
  const disturbed = runs.filter((run) => run.busyBefore > BUSY).length;
  const notes = disturbed === 0 ? rest.notes : [
    ...rest.notes,
    `${disturbed} of ${runs.length} runs began while something else kept the machine busy: measure again on a quiet one`,
  ];
  const judged = [...copies.map((row) => row.judged), ...health.map((row) => row.judged), memory, row?.judged];
  return {
    ...rest,
    notes,
    measuredAt: new Date().toISOString(),
    copies,
    health,
    memory,
    requests: row,
    holds: judged.every((verdict) => verdict?.holds ?? true),
  };
}

function copyRows(runs: readonly Run[]): CopyRow[] {
  return groups(runs).map(({ scenario, tool, runs: group }) => {
    const medians = (of: readonly Run[]) => ({
      medianMs: median(of.map((run) => run.milliseconds)),
      medianWithFlushMs: median(of.map((run) => run.milliseconds + run.flushMs)),
    });
    const theirs = medians(group);
    const ours = runs.filter((run) => run.scenario === scenario && run.tool === "syncline");
    const compared = tool.startsWith("syncline") || ours.length === 0 ? null : medians(ours);
    const ratio = compared && compared.medianMs / theirs.medianMs;
    const bound = RATIO_BOUNDS[scenario]?.[tool];
    return {
      scenario,
      tool,
      milliseconds: group.map((run) => run.milliseconds),
      busyBefore: group.map((run) => run.busyBefore),
      serverPeakBytes: Math.max(...group.map((run) => run.serverPeakBytes)),
      ...theirs,
      ratio,
      ratioWithFlush: compared && compared.medianWithFlushMs / theirs.medianWithFlushMs,
      judged: ratio === null || bound === undefined ? null : { value: ratio, bound, holds: ratio <= bound },
    };
  });
}

function healthRows(runs: readonly Run[]): HealthRow[] {
  return groups(runs.filter((run) => run.health !== undefined)).map(({ scenario, runs: group }) => {
    const latencies = group.flatMap((run) => run.health?.latenciesMs ?? []);
    const lateness = group.flatMap((run) => run.health?.latenessMs ?? []);
    const p99Ms = percentile(latencies, 0.99);
    return {
      scenario,
      requests: latencies.length,
      p50Ms: percentile(latencies, 0.5),
      p99Ms,
      maxMs: percentile(latencies, 1),
      clientLateP99Ms: percentile(lateness, 0.99),
      judged: { value: p99Ms, bound: HEALTH_P99_MS, holds: p99Ms <= HEALTH_P99_MS },
    };
  });
}

function requestsRow(syncline: RequestRate[], bareHono: RequestRate[]): RequestsRow {
  const perSecond = (rates: RequestRate[]) => median(rates.map((rate) => rate.perSecond));
  const processor = (rates: RequestRate[]) => median(rates.map((rate) => rate.processorUs));
  const medianPerSecond = { syncline: perSecond(syncline), bareHono: perSecond(bareHono) };
  const value = medianPerSecond.syncline / medianPerSecond.bareHono;
  return {
    connections: LOAD.connections,
    syncline,
    bareHono,
    medianPerSecond,
    processorRatio: processor(bareHono) / processor(syncline),
    judged: { value, bound: REQUESTS_RATIO, holds: value >= REQUESTS_RATIO },
  };
}

/** By scenario in the order of a round, then by tool in the order of its first run there. */
function groups(runs: readonly Run[]): { scenario: CopyScenario; tool: string; runs: Run[] }[] {
  return SCENARIOS.flatMap((scenario) => {
    const tools = Map.groupBy(runs.filter((run) => run.scenario === scenario), (run) => run.tool);
    return [...tools].map(([tool, group]) => ({ scenario: group[0].scenario, tool, runs: group }));
  });
}
