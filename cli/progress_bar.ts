// @ts-types="npm:@types/cli-progress@3.11.6"
import cliProgress from "cli-progress";
import process from "node:process";
import type { ProgressUpdate } from "../engine/jobs/mod.ts";
import { formatBytes, formatDuration, printable } from "./format.ts";

/** One bar on the terminal that stderr is, there while something is under way. */
export class ProgressBar {
  readonly #bar = new cliProgress.SingleBar({
    format: "{bar} {percentage}%  {text}",
    barsize: 24,
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
    linewrap: null,
    gracefulExit: false,
  }, cliProgress.Presets.shades_classic);
  #isShown = false;
  #percentage = 0;
  #message = "";
  #figures: Record<string, number> = {};

  update({ percentage, message, figures }: ProgressUpdate): void {
    this.#percentage = Math.max(this.#percentage, Math.floor(percentage ?? 0));
    this.#message = message ?? this.#message;
    Object.assign(this.#figures, figures);
    const text = [printable(this.#message), ...this.#words()].filter((part) => part !== "").join(", ");
    if (!this.#isShown) this.#bar.start(100, this.#percentage, { text });
    else this.#bar.update(this.#percentage, { text });
    this.#isShown = true;
  }

  /** Takes it off the terminal until the next update. */
  hide(): void {
    if (this.#isShown) this.#bar.stop();
    this.#isShown = false;
  }

  #words(): string[] {
    const { bytesDone, etaMs } = this.#figures;
    return [
      bytesDone === undefined ? "" : formatBytes(bytesDone),
      etaMs === undefined || etaMs <= 0 ? "" : `${formatDuration(etaMs)} left`,
    ];
  }
}
