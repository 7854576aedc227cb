import type { CopyRow, Judged, Report } from "./report.ts";
import type { CopyScenario } from "./tool.ts";

const MIB = 1024 * 1024;

/** The report as lines for a terminal. */
export function formatReport(report: Report): string[] {
  return [
    ...conditions(report),
    ...copyTable(report),
    ...healthTable(report),
    "",
    `Server memory, peak: ${(report.memory.value / MIB).toFixed(0)} MiB (bound: under ${
      report.memory.bound / MIB
    } MiB, ${verdict(report.memory)})`,
    ...requestLines(report),
    ...report.missing.map((tool) => `Not measured: ${tool} is not installed`),
    ...report.notes.map((note) => `Note: ${note}`),
    "",
    report.holds ? "All bounds hold." : "Not all bounds hold.",
  ];
}

function conditions({ machine, versions, tree, rounds, measuredAt }: Report): string[] {
  const { cpu, cores, memoryBytes, virtual, kernel, filesystem, loadAverage, deno } = machine;
  const described = Object.entries(tree).filter(([, value]) => value !== null).map(([name, value]) =>
    `${name} ${value}`
  );
  return [
    `Syncline bench, ${measuredAt}, ${rounds} rounds`,
    `  ${cpu}${virtual ? " (virtual)" : ""}, ${cores} cores, ${
      (memoryBytes / 1024 ** 3).toFixed(1)
    } GiB, Linux ${kernel}, ` +
    `${filesystem}, load ${loadAverage.toFixed(2)}`,
    `  deno ${deno}; ${Object.values(versions).join("; ")}`,
    `  tree: ${described.join(", ")}`,
    "",
  ];
}

function copyTable(report: Report): string[] {
  if (report.copies.length === 0) return [];
  const rows = report.copies.map((row, i) => [
    report.copies[i - 1]?.scenario === row.scenario ? "" : title(row.scenario, report),
    row.tool,
    seconds(row.medianMs),
    `${seconds(Math.min(...row.milliseconds))}–${seconds(Math.max(...row.milliseconds))}`,
    seconds(row.medianWithFlushMs),
    row.ratio?.toFixed(2) ?? "",
    row.ratioWithFlush?.toFixed(2) ?? "",
    ...judgement(row),
  ]);
  const head = ["", "", "median s", "range s", "flushed s", "ours/this", "flushed", "bound", "holds"];
  return table([head, ...rows], 2);
}

function judgement({ judged }: CopyRow): string[] {
  return judged === null ? ["", ""] : [`≤ ${judged.bound.toFixed(1)}`, verdict(judged)];
}

function healthTable(report: Report): string[] {
  if (report.health.length === 0) return [];
  const head = ["GET /health during", "requests", "p50 ms", "p99 ms", "max ms", "client late p99 ms", "bound", "holds"];
  const rows = report.health.map((row) => [
    title(row.scenario, report),
    String(row.requests),
    ...[row.p50Ms, row.p99Ms, row.maxMs, row.clientLateP99Ms].map((value) => value.toFixed(2)),
    `p99 ≤ ${row.judged.bound}`,
    verdict(row.judged),
  ]);
  return ["", ...table([head, ...rows], 1)];
}

function requestLines({ requests }: Report): string[] {
  if (requests === null) return [];
  const { medianPerSecond, judged, processorRatio, connections } = requests;
  return [
    `GET /health, ${connections} connections: ${medianPerSecond.syncline.toFixed(0)} requests/s, bare Hono ` +
    `${medianPerSecond.bareHono.toFixed(0)}: ${judged.value.toFixed(2)} of it (bound: at least ${judged.bound}, ` +
    `${verdict(judged)}); by processor time ${processorRatio.toFixed(2)}`,
  ];
}

function title(scenario: CopyScenario, report: Report): string {
  const titles: Record<CopyScenario, string> = {
    first: "first copy",
    nothing: "nothing to do",
    changed: `${report.changedFiles} files changed`,
    verify: "first copy, verified",
    large: `one file of ${(report.largeBytes / 1024 ** 3).toFixed(1)} GiB`,
  };
  return titles[scenario];
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(2);
}

function verdict(judged: Judged): string {
  return judged.holds ? "yes" : "NO";
}

/** Columns as wide as their widest cell; the first `left` ones aligned to the left, the others to the right. */
export function table(rows: string[][], left: number): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row.map((cell, i) => i < left ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join("  ").trimEnd()
  );
}
