import type { Judged } from "../report.ts";
import { table } from "../table.ts";
import type { Dataset } from "./options.ts";
import { type BackupReport, holds, type SizeRow, type StepRow } from "./report.ts";
import type { Step } from "./repository_tool.ts";

const MIB = 1024 * 1024;

const TITLES: Record<Step, string> = {
  first: "first backup",
  nothing: "no change",
  changed: "1% changed",
  restore: "restore",
  check: "check, all data",
};

/** The report as lines for a terminal. */
export function formatBackupReport(report: BackupReport): string[] {
  const { machine, versions, rounds, measuredAt, memory } = report;
  return [
    `Syncline backup bench, ${measuredAt}, ${rounds} rounds`,
    `  ${machine.cpu}${machine.virtual ? " (virtual)" : ""}, ${machine.cores} cores, ` +
    `${(machine.memoryBytes / 1024 ** 3).toFixed(1)} GiB, Linux ${machine.kernel}, ${machine.filesystem}, ` +
    `load ${machine.loadAverage.toFixed(2)}`,
    `  deno ${machine.deno}; ${Object.values(versions).join("; ")}`,
    "",
    ...report.steps.length > 0 ? [...stepTable(report), ""] : [],
    ...report.sizes.length > 0 ? [...sizeTable(report), ""] : [],
    ...report.figures.length > 0 ? [...figureTable(report), ""] : [],
    ...memory === null ? [] : [
      `Server memory, peak: ${(memory.value / MIB).toFixed(0)} MiB (bound: under ${memory.bound / MIB} MiB, ${
        memory.holds ? "yes" : "NO"
      })`,
    ],
    ...report.missing.map((tool) => `Not measured: ${tool} is not installed`),
    ...report.notes.map((note) => `Note: ${note}`),
    "",
    report.holds ? "All bounds hold." : "Not all bounds hold.",
  ];
}

function stepTable(report: BackupReport): string[] {
  const head = ["", "", "", "median s", "range s", "flushed s", "server MiB", "ours/this", "bound", "holds"];
  const rows = report.steps.map((row, i) => [
    ...changed(report.steps[i - 1], row, (step) => [title(step.dataset, report), TITLES[step.step]]),
    row.tool,
    seconds(row.medianMs),
    `${seconds(Math.min(...row.milliseconds))}–${seconds(Math.max(...row.milliseconds))}`,
    seconds(row.medianWithFlushMs),
    row.tool === "syncline" ? (row.serverPeakBytes / MIB).toFixed(0) : "",
    ...judgement(row),
  ]);
  return table([head, ...rows], 3);
}

function sizeTable(report: BackupReport): string[] {
  const head = ["repository size", "", "", "MiB", "ours/this", "bound", "holds"];
  const rows = report.sizes.map((row, i) => [
    ...changed(report.sizes[i - 1], row, (size) => [
      title(size.dataset, report),
      size.versions === 0 ? "first version" : `and ${size.versions} changed ones`,
    ]),
    row.tool,
    (row.bytes / MIB).toFixed(1),
    ...judgement(row),
  ]);
  return table([head, ...rows], 3);
}

function figureTable({ figures }: BackupReport): string[] {
  const text = (value: number, unit: string) => `${unit === "s" ? value.toFixed(2) : value.toFixed(0)} ${unit}`;
  const rows = figures.map((figure) => [
    figure.name,
    text(figure.value, figure.unit),
    ...figure.bound === null ? ["", ""] : [`< ${figure.bound} ${figure.unit}`, holds(figure) ? "yes" : "NO"],
  ]);
  return table([["by itself", "", "bound", "holds"], ...rows], 1);
}

/** A row's titles, left out where they are those of the row above. */
function changed<T>(above: T | undefined, row: T, titles: (row: T) => string[]): string[] {
  const here = titles(row);
  return above !== undefined && titles(above).join() === here.join() ? here.map(() => "") : here;
}

function judgement({ ratio, judged }: StepRow | SizeRow): string[] {
  return [ratio?.toFixed(3) ?? "", ...verdict(judged)];
}

function verdict(judged: Judged | null): string[] {
  return judged === null ? ["", ""] : [`≤ ${judged.bound}`, judged.holds ? "yes" : "NO"];
}

function title(dataset: Dataset, { tree, bigBytes }: BackupReport): string {
  return dataset === "tree" ? `${tree?.files} files` : `${((bigBytes ?? 0) / 1024 ** 3).toFixed(1)} GiB file`;
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(2);
}
