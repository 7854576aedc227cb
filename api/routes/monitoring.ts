import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { accepts } from "hono/accepts";
import { type AppDependencies, type AppEnv, BASE_PATH } from "../environment.ts";
import { type HealthReport, SHARE_MS } from "../health.ts";
import { assertScope, needs } from "../middleware/authentication.ts";
import { errorAnswers, jsonAnswer } from "../schemas/common.ts";
import { HealthAnswer, MetricsAnswer, MetricsQuery, ProbeAnswer } from "../schemas/monitoring.ts";

const tags = ["Monitoring"];
/** How long an answer waits for what the object stores hold; then it has what was measured last. */
const USAGE_MS = 2_000;

const health = createRoute({
  method: "get",
  path: `${BASE_PATH}/health`,
  summary: "Health check endpoint",
  description: `Each detail was measured for this answer or for another at most ${SHARE_MS} ms before.`,
  tags,
  security: [{ bearer: ["read"] }],
  responses: {
    ...errorAnswers(),
    200: jsonAnswer(HealthAnswer, "Healthy or degraded"),
    503: jsonAnswer(HealthAnswer, "Unhealthy"),
  },
});

const metrics = createRoute({
  method: "get",
  path: `${BASE_PATH}/metrics`,
  summary: "Gets system metrics and performance statistics",
  description: "`Accept: text/plain` or `?format=prometheus` gives the Prometheus text format.",
  tags,
  ...needs("read"),
  request: { query: MetricsQuery },
  responses: {
    200: {
      description: "The metrics",
      content: { "application/json": { schema: MetricsAnswer }, "text/plain": { schema: z.string() } },
    },
    ...errorAnswers(400),
  },
});

const livez = createRoute({
  method: "get",
  path: "/livez",
  summary: "Whether the process answers; no token",
  tags,
  security: [],
  responses: { 200: jsonAnswer(ProbeAnswer, "It does") },
});

const readyz = createRoute({
  method: "get",
  path: "/readyz",
  summary: "Whether the server takes requests; no token",
  tags,
  security: [],
  responses: { 200: jsonAnswer(ProbeAnswer, "It does"), 503: jsonAnswer(ProbeAnswer, "It is stopping") },
});

export function registerMonitoring(app: OpenAPIHono<AppEnv>, dependencies: AppDependencies): void {
  const { health: probe, prometheus, sessions, stopping, usage } = dependencies;
  let latest: { report?: HealthReport; text: string } = { text: "" };
  // Its scope is asked for here and not by middleware, so that it may answer at once.
  app.openapi(health, (c): Response | Promise<Response> => {
    assertScope(c.env, "read");
    const answer = (report: HealthReport) => {
      if (report !== latest.report) latest = { report, text: JSON.stringify(report) };
      return c.body(latest.text, report.status === "unhealthy" ? 503 : 200, { "Content-Type": "application/json" });
    };
    const report = probe.measure();
    return report instanceof Promise ? report.then(answer) : answer(report);
  });
  app.openapi(metrics, async (c) => {
    const format = c.req.valid("query").format ?? preferredFormat(c);
    await usage.refresh(USAGE_MS);
    if (format === "json") return c.json(sessions.totals(), 200);
    return c.body(await prometheus.text(), 200, { "Content-Type": prometheus.contentType });
  });
  app.openapi(livez, (c) => c.json({ status: "ok" as const }, 200));
  app.openapi(readyz, (c) => {
    if (stopping.aborted) return c.json({ status: "stopping" as const }, 503);
    return c.json({ status: "ok" as const }, 200);
  });
}

function preferredFormat(c: Parameters<typeof accepts>[0]): "json" | "prometheus" {
  const supports = ["application/json", "text/plain", "application/openmetrics-text"];
  const type = accepts(c, { header: "Accept", supports, default: "application/json" });
  return type === "application/json" ? "json" : "prometheus";
}
