const NAME = "syncline_http_request_duration_seconds";
const HELP = "HTTP requests by route: their number and how long the answer's head took";
const METHODS = new Set(["GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"]);
/** Upper bounds, inclusive. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300];

interface Series {
  method: string;
  route: string;
  status: number;
  /** How many fell into each bucket and none before it; the last one has no bound. */
  counts: Float64Array;
  sum: number;
}

/**
 * The histogram of answered requests. Written by hand: prom-client's checks and joins the labels again at each observation,
 * 1 µs on the path of every request.
 */
export class RequestDurations {
  readonly #series = new Map<string, Map<string, Map<number, Series>>>();

  /** `route` is a route's pattern, never a client's path: each has a series that is kept for good. */
  observe(method: string, route: string, status: number, ms: number): void {
    const series = this.#series.get(route)?.get(method)?.get(status) ?? this.#open(method, route, status);
    const seconds = ms / 1000;
    let bucket = 0;
    while (seconds > SECONDS[bucket]) bucket++;
    series.counts[bucket]++;
    series.sum += seconds;
  }

  /** In the Prometheus text format. */
  text(): string {
    const lines = [`# HELP ${NAME} ${HELP}`, `# TYPE ${NAME} histogram`];
    for (const methods of this.#series.values()) {
      for (const statuses of methods.values()) {
        for (const series of statuses.values()) lines.push(...linesOf(series));
      }
    }
    return lines.join("\n") + "\n";
  }

  #open(method: string, route: string, status: number): Series {
    const known = METHODS.has(method) ? method : "other";
    const methods = this.#series.get(route) ?? new Map<string, Map<number, Series>>();
    const statuses = methods.get(known) ?? new Map<number, Series>();
    const series = statuses.get(status) ??
      { method: known, route, status, counts: new Float64Array(SECONDS.length + 1), sum: 0 };
    this.#series.set(route, methods.set(known, statuses.set(status, series)));
    return series;
  }
}

function linesOf({ method, route, status, counts, sum }: Series): string[] {
  const labels = `method="${method}",route="${route}",status="${status}"`;
  let total = 0;
  const buckets = Array.from(counts, (count, index) => {
    total += count;
    return `${NAME}_bucket{le="${SECONDS[index] ?? "+Inf"}",${labels}} ${total}`;
  });
  return [...buckets, `${NAME}_sum{${labels}} ${sum}`, `${NAME}_count{${labels}} ${total}`];
}
