import { setTimeout as delay } from "node:timers/promises";
import { EngineError, isCancellation } from "../../errors.ts";
import type { ProgressUpdate } from "../../jobs/types.ts";
import type { TaskContext } from "../../../workers/types.ts";
import type { Dialect, Snapshot } from "../dialect.ts";
import { loadDialect } from "../dialects.ts";
import { DatabaseError } from "../error.ts";
import type { Engine } from "../types.ts";
import { allOrError } from "../../at_once.ts";
import { compareEntity } from "./compare_entity.ts";
import type { DatabaseRun, Entity } from "./database_run.ts";
import type { Side } from "./decide.ts";
import { DifferenceFile } from "./difference_file.ts";
import { failure, isLostConnection, onSide } from "./failure.ts";
import { findEntities } from "./find_entities.ts";
import { Progress } from "./progress.ts";
import { refuse } from "./limits.ts";
import { Report } from "./report.ts";
import type { RunInput, RunOutput } from "./run_task.ts";
import { endOneWay, hasSourceWork, writeSource, writeTarget } from "./write_sides.ts";

/** Queries of one side that run at once. */
const AT_ONCE = 2;

/** How often a run is begun that loses a connection before anything is committed, and the pause before it begins anew. */
const TRIES = 3;
const PAUSE_MS = 500;

/** Where a run is, so that it is known whether it may begin anew. */
interface Stage {
  /** `open`: both databases answered, and nothing is committed. */
  name: "connecting" | "open" | "committing";
}

/** One run, from its first connection to its last commit. */
export async function runDatabase(
  input: RunInput,
  context: TaskContext<ProgressUpdate>,
  load: (engine: Engine) => Promise<Dialect> = loadDialect,
): Promise<RunOutput> {
  for (let attempt = 1;; attempt++) {
    const stage: Stage = { name: "connecting" };
    try {
      return await connected(input, context, load, stage);
    } catch (error) {
      // A cut connection is how a cancellation reaches what waits for a server.
      if (!isCancellation(error)) context.checkpoint();
      const mayBeginAnew = stage.name === "open" && attempt < TRIES && isLostConnection(error);
      if (!mayBeginAnew) throw error instanceof DatabaseError ? failure(error, "source") : error;
    }
    await delay(PAUSE_MS, undefined, { signal: context.signal });
  }
}

async function connected(
  input: RunInput,
  context: TaskContext<ProgressUpdate>,
  load: (engine: Engine) => Promise<Dialect>,
  stage: Stage,
): Promise<RunOutput> {
  const { request } = input;
  using progress = new Progress(context);
  await using closing = new AsyncDisposableStack();
  const connections = {} as DatabaseRun["connections"];
  const dialects = {} as Record<Side, Dialect>;
  await allOrError((["source", "target"] as const).map(async (side) => {
    const dialect = dialects[side] = await load(request[side].engine);
    connections[side] = closing.use(await onSide(side, () => dialect.connect(request[side], context.signal)));
  }));
  stage.name = "open";
  const run: DatabaseRun = { input, request, context, connections, report: new Report(), progress };
  const entities = await findEntities(run);
  const direct = dialects.source === dialects.target ? dialects.target.direct : undefined;
  try {
    return await synchronise(run, entities, direct, stage);
  } finally {
    for (const { plan } of entities) plan?.[Symbol.dispose]();
  }
}

async function synchronise(
  run: DatabaseRun,
  entities: Entity[],
  direct: Dialect["direct"],
  stage: Stage,
): Promise<RunOutput> {
  const { request, input } = run;
  let differences = 0;
  {
    await using source = await snapshot(run, "source");
    {
      await using target = await snapshot(run, "target");
      using file = input.differences === undefined ? undefined : new DifferenceFile(input.differences);
      for (const entity of entities) await compareEntity(run, entity, { source, target }, file);
      differences = file?.lines ?? 0;
      // It ends here, for a SQLite file cannot be written while it is read.
    }
    const refusal = refuse(request, entities);
    if (refusal !== undefined && !request.dryRun) {
      throw new EngineError("conflict", "A safety limit forbids the synchronisation", refusal);
    }
    if (refusal !== undefined) run.report.addError(entities.map(({ name }) => name).join(", "), `refused: ${refusal}`);
    if (!request.dryRun) {
      stage.name = "committing";
      await writeTarget(run, entities, source, direct);
      if (!hasSourceWork(entities)) await endOneWay(run, entities, source);
    }
  }
  if (!request.dryRun && hasSourceWork(entities)) await writeSource(run, entities);
  return output(run, entities, differences);
}

function snapshot({ connections }: DatabaseRun, side: Side): Promise<Snapshot> {
  return onSide(side, () => connections[side].snapshot(AT_ONCE));
}

function output({ report, request }: DatabaseRun, entities: Entity[], differences: number): RunOutput {
  const results = entities.map(({ result }) => result);
  const sum = (pick: (result: Entity["result"]) => number) => results.reduce((total, each) => total + pick(each), 0);
  return {
    result: {
      success: report.errorCount === 0,
      changesApplied: sum(({ inserted, updated, deleted }) => inserted + updated + deleted),
      conflictsEncountered: sum(({ conflicts }) => conflicts),
      errors: report.errors(),
      dryRun: request.dryRun,
      conflicts: report.conflicts,
      entities: results,
    },
    differences,
  };
}
