import { resolve } from "node:path";
import { readCommandLine, UsageError, whole } from "../options.ts";

/** What is measured, in this order. */
export const SCENARIOS = ["equal", "mixed", "copy", "upserts", "sqlite"] as const;
export type Scenario = typeof SCENARIOS[number];

export interface DatabaseBenchOptions {
  rounds: number;
  seed: number;
  /** Rows of the large pair of tables, and of the others. */
  largeRows: number;
  rows: number;
  /** Rows of the source that are changed, one after every so many. */
  changes: number;
  upserts: number;
  only: ReadonlySet<Scenario>;
  /** Where the result is written as JSON. */
  json: string;
}

export const USAGE = `deno task bench database [options]

Measures POST /sync/database on servers that it starts (PostgreSQL from npm, Debian's mariadbd), against what those servers need
for one scan or copy of the same tables, in turn. Everything lies in the system's temporary directory (TMPDIR). A table has 8 columns.

  --rounds N      rounds; each once a round (3)
  --large-rows N  rows of the pair of PostgreSQL tables of "equal" (5000000)
  --rows N        rows of the other tables (1000000)
  --changes N     changed rows of "equal" and "sqlite" (1000)
  --upserts N     rows of "upserts", half of them new (100000)
  --seed N        seed of the rows (1)
  --only LIST     of ${SCENARIOS.join(", ")} (all)
  --json FILE     where the result goes (bench-database-results.json)

equal    PostgreSQL to PostgreSQL, equal and with changes, against one hash_record_extended scan of the slower side
mixed    PostgreSQL to MariaDB, equal, against the slower side's own scan with MD5
copy     PostgreSQL to PostgreSQL, into an empty table, against psql's COPY | COPY
upserts  PostgreSQL to PostgreSQL, what writing adds to a dry run, against COPY's rows a second
sqlite   equal, changed and into an empty table, against statements over ATTACH; without bounds

Exit status: 0 all bounds hold, 2 one does not, 1 the bench failed.`;

/** Reads the command line after `bench`. Returns undefined where help was asked for. @throws UsageError */
export function readOptions(args: string[]): DatabaseBenchOptions | undefined {
  const { values, positionals: [, ...more] } = parse(args);
  if (values.help) return undefined;
  if (more.length > 0) throw new UsageError(`Cannot take ${more.join(" ")}: the bench makes its own tables`);
  const options = {
    rounds: whole("rounds", values.rounds, 1, 100),
    seed: whole("seed", values.seed, 0, 1_000_000_000),
    largeRows: whole("large-rows", values["large-rows"], 1000, 100_000_000),
    rows: whole("rows", values.rows, 1000, 100_000_000),
    changes: whole("changes", values.changes, 1, 1_000_000),
    upserts: whole("upserts", values.upserts, 2, 10_000_000),
  };
  if (options.changes > Math.min(options.largeRows, options.rows) / 10) {
    throw new UsageError("--changes must be at most a tenth of the rows");
  }
  if (options.upserts > options.rows) throw new UsageError("--upserts must be at most --rows");
  return { ...options, only: scenarios(values.only), json: resolve(values.json) };
}

function parse(args: string[]) {
  return readCommandLine(args, {
    rounds: { type: "string", default: "3" },
    seed: { type: "string", default: "1" },
    "large-rows": { type: "string", default: "5000000" },
    rows: { type: "string", default: "1000000" },
    changes: { type: "string", default: "1000" },
    upserts: { type: "string", default: "100000" },
    only: { type: "string", default: SCENARIOS.join(",") },
    json: { type: "string", default: "bench-database-results.json" },
  });
}

function scenarios(list: string): Set<Scenario> {
  return new Set(
    list.split(",").map((name) => {
      const scenario = SCENARIOS.find((known) => known === name.trim());
      if (scenario === undefined) throw new UsageError(`Cannot measure "${name}": there are ${SCENARIOS.join(", ")}`);
      return scenario;
    }),
  );
}
