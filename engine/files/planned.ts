import type { Place } from "./compare_input.ts";
import type { Segment, Stream } from "./plan.ts";
import { addError, addReport, emptyReport, type Report } from "./report.ts";
import type { PassOutput } from "./scan.ts";

const BASELINE_STREAMS: readonly Stream[] = ["baseline", "foreseen"];

/** A whole plan: where its segments lie, in their order, and what they would do. */
export class Plan {
  readonly report: Report = emptyReport();
  /** Directories that the target lacks and that no include pattern names, but something wanted lies in them. */
  readonly needed = new Set<string>();
  /** Directories that only the target has and that stay because something in them does. */
  readonly kept = new Set<string>();
  /** Existing directories in which needed ones are made. */
  readonly #opened = new Set<string>();
  /** By the place of the task that wrote them: a directory's task begins after the one that found it has ended. */
  readonly #segments: Segment[][] = [];

  addScan(place: number, output: PassOutput): void {
    this.#segments[place] = output.segments;
    addReport(this.report, output.report);
    for (const needed of output.needed) {
      for (const path of fromTop(needed)) this.needed.add(path);
      this.#opened.add(above(needed));
    }
    for (const kept of output.kept) {
      for (const path of fromTop(kept)) this.kept.add(path);
    }
  }

  /** Adds what was planned after all scans. */
  add(segments: Segment[], report: Report): void {
    this.#segments.push(segments);
    addReport(this.report, report);
  }

  /** The segments of a stream, parents before children. */
  stream(stream: Stream): Segment[] {
    return this.#segments.flat().filter((segment) => segment.stream === stream);
  }

  /** Drops a stream. */
  drop(stream: Stream): void {
    for (const [place, segments] of this.#segments.entries()) {
      this.#segments[place] = segments.filter((segment) => segment.stream !== stream);
    }
  }

  /** Directories that are to be finished beside those of the stream `finish`. */
  get unnamed(): string[] {
    return [...this.needed, ...this.#opened];
  }

  get hasSteps(): boolean {
    return this.#segments.some((segments) => segments.some(({ stream }) => !BASELINE_STREAMS.includes(stream)));
  }

  get hasBaselines(): boolean {
    return this.#segments.some((segments) => segments.some(({ stream }) => BASELINE_STREAMS.includes(stream)));
  }

  /** Completes the figures once everything is compared. Where something could not be read, nothing is deleted. */
  settle(): void {
    this.report.created += this.needed.size;
    this.report.deleted -= this.kept.size;
    if (!this.report.incomplete) return;
    const deletions = this.report.deleted;
    this.drop("delete");
    this.report.deleted = 0;
    if (deletions > 0) addError(this.report, "", deletionsOff(deletions));
  }
}

/** Why deletions did not happen. */
export function deletionsOff(count: number): string {
  return `${count} deletions were left out, because not everything could be read or copied`;
}

/** A place's directory and those above it, up to the highest one that one side lacks. */
function* fromTop([path, top]: Place): Generator<string> {
  if (path === "" || top === 0) return;
  const names = path.split("/");
  for (let depth = names.length; depth >= top; depth--) yield names.slice(0, depth).join("/");
}

function above([path, top]: Place): string {
  return path.split("/").slice(0, Math.max(top - 1, 0)).join("/");
}
