import type { Machine } from "../machine.ts";
import type { Judged } from "../report.ts";
import { median } from "../stats.ts";
import type { SizeRun, StepRun } from "./backup_rounds.ts";
import { type Dataset, DATASETS } from "./options.ts";
import { type Step, STEPS } from "./repository_tool.ts";

/** Ours divided by restic's, at most. */
const TIME_BOUNDS: Record<Step, number> = { first: 0.5, nothing: 0.3, changed: 0.5, restore: 0.7, check: 1.0 };
const SIZE_BOUND = 1.02;
const JUDGED_AGAINST = "restic";
const MEMORY_BYTES = 500 * 1024 * 1024;
/** Processors; above it, a run counts as disturbed. */
const BUSY = 0.2;

export interface StepRow {
  dataset: Dataset;
  step: Step;
  tool: string;
  milliseconds: number[];
  busyBefore: number[];
  medianMs: number;
  medianWithFlushMs: number;
  /** The most that the server held in these runs. */
  serverPeakBytes: number;
  /** Syncline's median divided by this one; null in its own rows. */
  ratio: number | null;
  judged: Judged | null;
}

export interface SizeRow {
  dataset: Dataset;
  tool: string;
  /** Changed versions after the first one. */
  versions: number;
  bytes: number;
  ratio: number | null;
  judged: Judged | null;
}

/** What is judged by itself. */
export interface Figure {
  name: string;
  unit: "s" | "MiB";
  value: number;
  /** It must be below; null: only told. */
  bound: number | null;
}

export interface BackupMeasurements {
  machine: Machine;
  versions: Record<string, string>;
  missing: string[];
  tree: Record<string, number | string | null> | null;
  bigBytes: number | null;
  rounds: number;
  runs: readonly StepRun[];
  sizes: readonly SizeRun[];
  /** Of the server that the other tools are compared with, from its start to its end; null where it did not run. */
  serverPeakBytes: number | null;
  figures: Figure[];
  notes: string[];
}

export interface BackupReport extends Omit<BackupMeasurements, "runs" | "sizes" | "serverPeakBytes"> {
  measuredAt: string;
  steps: StepRow[];
  sizes: SizeRow[];
  memory: Judged | null;
  holds: boolean;
}

/** Medians, ratios and verdicts. Pure but for the clock. */
export function makeBackupReport(measurements: BackupMeasurements): BackupReport {
  const { runs, sizes, serverPeakBytes, ...rest } = measurements;
  const steps = stepRows(runs);
  const sizeRows = makeSizeRows(sizes);
  const memory = serverPeakBytes === null
    ? null
    : { value: serverPeakBytes, bound: MEMORY_BYTES, holds: serverPeakBytes < MEMORY_BYTES };
  const disturbed = runs.filter((run) => run.busyBefore > BUSY).length;
  const notes = disturbed === 0 ? rest.notes : [
    ...rest.notes,
    `${disturbed} of ${runs.length} runs began while something else kept the machine busy: measure again on a quiet one`,
  ];
  const judged = [...steps, ...sizeRows].map((row) => row.judged);
  return {
    ...rest,
    notes,
    measuredAt: new Date().toISOString(),
    steps,
    sizes: sizeRows,
    memory,
    holds: [memory, ...judged].every((verdict) => verdict?.holds ?? true) && rest.figures.every(holds),
  };
}

/** Whether a figure is below its bound. */
export function holds({ value, bound }: Figure): boolean {
  return bound === null || value < bound;
}

function stepRows(runs: readonly StepRun[]): StepRow[] {
  return DATASETS.flatMap((dataset) =>
    STEPS.flatMap((step) => {
      const here = runs.filter((run) => run.dataset === dataset && run.step === step);
      const ours = here.filter((run) => run.tool === "syncline");
      return [...Map.groupBy(here, (run) => run.tool)].sort(byName).map(([tool, group]) => {
        const medianMs = median(group.map((run) => run.milliseconds));
        const ratio = tool === "syncline" ? null : median(ours.map((run) => run.milliseconds)) / medianMs;
        return {
          dataset,
          step,
          tool,
          milliseconds: group.map((run) => run.milliseconds),
          busyBefore: group.map((run) => run.busyBefore),
          medianMs,
          medianWithFlushMs: median(group.map((run) => run.milliseconds + run.flushMs)),
          serverPeakBytes: Math.max(...group.map((run) => run.serverPeakBytes)),
          ratio,
          judged: judge(tool, ratio, TIME_BOUNDS[step]),
        };
      });
    })
  );
}

function makeSizeRows(sizes: readonly SizeRun[]): SizeRow[] {
  const groups = Map.groupBy(sizes, ({ dataset, versions }) => `${dataset} ${versions}`);
  return [...groups.values()].flatMap((group) => {
    const { dataset, versions } = group[0];
    const tools = [...Map.groupBy(group, (size) => size.tool)].sort(byName)
      .map(([tool, runs]) => ({ tool, bytes: median(runs.map((run) => run.bytes)) }));
    const ours = tools.find(({ tool }) => tool === "syncline")?.bytes ?? NaN;
    return tools.map(({ tool, bytes }) => {
      const ratio = tool === "syncline" ? null : ours / bytes;
      return { dataset, tool, versions, bytes, ratio, judged: judge(tool, ratio, SIZE_BOUND) };
    });
  });
}

/** Syncline first, whoever began. */
function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return Number(b === "syncline") - Number(a === "syncline") || (a < b ? 1 : -1);
}

function judge(tool: string, ratio: number | null, bound: number): Judged | null {
  return tool === JUDGED_AGAINST && ratio !== null ? { value: ratio, bound, holds: ratio <= bound } : null;
}
