import type { Machine } from "../machine.ts";
import { median } from "../stats.ts";
import { table } from "../table.ts";

const MIB = 1024 ** 2;
const MEMORY_BYTES = 400 * MIB;

/** One line of the result. */
export interface Figure {
  name: string;
  /** Of each round, in milliseconds. */
  ours: number[];
  /** What it is measured against. */
  peer: string;
  theirs: number[];
  /** Ours by theirs, of time or of rows a second. */
  ratio: number;
  /** Null where none is set. */
  bound: { value: number; kind: "most" | "least" } | null;
  /** The most memory that the server held meanwhile. */
  peakBytes: number;
  /** Another figure of the same thing, which is not judged. */
  note?: string;
}

export interface DatabaseReport {
  machine: Machine;
  versions: Record<string, string>;
  options: Record<string, number>;
  measuredAt: string;
  figures: (Figure & { holds: boolean | null })[];
  memory: { value: number; bound: number; holds: boolean };
  /** What could not be measured. */
  missing: string[];
  holds: boolean;
}

/** Ours by theirs, of the medians. */
export function timeRatio(ours: number[], theirs: number[]): number {
  return median(ours) / median(theirs);
}

/** Judges what was measured. */
export function makeDatabaseReport(
  parts: Pick<DatabaseReport, "machine" | "versions" | "options" | "missing"> & { figures: Figure[] },
): DatabaseReport {
  const figures = parts.figures.map((figure) => ({ ...figure, holds: holds(figure) }));
  const peak = Math.max(0, ...figures.map(({ peakBytes }) => peakBytes));
  const memory = { value: peak, bound: MEMORY_BYTES, holds: peak < MEMORY_BYTES };
  return {
    ...parts,
    measuredAt: new Date().toISOString(),
    figures,
    memory,
    holds: memory.holds && figures.every(({ holds }) => holds !== false),
  };
}

function holds({ ratio, bound }: Figure): boolean | null {
  if (bound === null) return null;
  return bound.kind === "most" ? ratio <= bound.value : ratio >= bound.value;
}

/** The report as lines for a terminal. */
export function formatDatabaseReport(report: DatabaseReport): string[] {
  const { machine, versions, options } = report;
  const seconds = (values: number[]) => (median(values) / 1000).toFixed(2);
  const rows = report.figures.map(({ name, ours, peer, theirs, ratio, bound, holds, peakBytes }) => [
    name,
    peer,
    seconds(ours),
    `${seconds([Math.min(...ours)])}–${seconds([Math.max(...ours)])}`,
    seconds(theirs),
    ratio.toFixed(2),
    bound === null ? "" : `${bound.kind === "most" ? "≤" : "≥"} ${Number(bound.value.toFixed(2))}`,
    holds === null ? "" : holds ? "yes" : "NO",
    (peakBytes / MIB).toFixed(0),
  ]);
  const head = ["", "against", "ours s", "range s", "this s", "ratio", "bound", "holds", "server MiB"];
  return [
    `Syncline database bench, ${report.measuredAt}`,
    `  ${machine.cpu}${machine.virtual ? " (virtual)" : ""}, ${machine.cores} cores, ` +
    `${(machine.memoryBytes / 1024 ** 3).toFixed(1)} GiB, Linux ${machine.kernel}, load ${
      machine.loadAverage.toFixed(2)
    }`,
    `  deno ${machine.deno}; ${Object.entries(versions).map(([name, version]) => `${name} ${version}`).join("; ")}`,
    `  ${Object.entries(options).map(([name, value]) => `${name} ${value}`).join(", ")}`,
    "",
    ...table([head, ...rows], 2),
    "",
    ...report.figures.flatMap(({ name, note }) => note === undefined ? [] : [`${name}: ${note}`]),
    `Server memory, peak: ${(report.memory.value / MIB).toFixed(0)} MiB (bound: under ${
      report.memory.bound / MIB
    } MiB, ${report.memory.holds ? "yes" : "NO"})`,
    ...report.missing.map((what) => `Not measured: ${what}`),
    report.holds ? "All bounds hold." : "Not all bounds hold.",
  ];
}
