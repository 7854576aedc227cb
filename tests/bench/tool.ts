import type { HealthSamples } from "./health.ts";
import type { Scenario } from "./options.ts";

/** The scenarios that copy from a source to a target. */
export type CopyScenario = Exclude<Scenario, "requests">;

export interface Outcome {
  milliseconds: number;
  /** Where the server's health was asked for during the run. */
  health?: HealthSamples;
}

/** Something that makes a target directory agree with a source directory. */
export interface Tool {
  readonly name: string;
  /** Where it takes part. */
  readonly scenarios: ReadonlySet<CopyScenario>;
  /** Runs once and times it; the target directory exists. Throws where the tool failed. */
  run(scenario: CopyScenario, source: string, target: string): Promise<Outcome>;
}
