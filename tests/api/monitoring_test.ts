/** Health, metrics, probes, and the description of the API itself. */
import assert from "node:assert/strict";
import { sharedServer } from "../harness/suite.ts";
import { assertError, makePair, postSync, sync, TIMESTAMP } from "../harness/sync.ts";
import { ROUTES } from "./routes.ts";

const server = sharedServer();

Deno.test("/health is the reference's", async () => {
  const { status, body } = await server().request("GET", "/health");
  assert.equal(status, 200);
  assert.ok(["healthy", "degraded"].includes(body.status), body.status);
  assert.match(body.timestamp, TIMESTAMP);
  assert.ok(Math.abs(Date.parse(body.timestamp) - Date.now()) < 5_000);
  for (const detail of ["database", "storage", "memory"]) assert.equal(typeof body.details[detail], "string");
});

Deno.test("/metrics is the reference's and counts what happened", async () => {
  const read = async () => (await server().request("GET", "/metrics")).body;
  const before = await read();
  for (const field of ["totalSyncOperations", "successfulSyncs", "failedSyncs", "averageSyncDuration"]) {
    assert.ok(Number.isFinite(before[field]), field);
  }
  assert.deepEqual(Object.values(before.cloudStorageUsage).map((value) => typeof value), [
    "number",
    "number",
    "number",
  ]);

  const pair = await makePair(server());
  await Deno.writeFile(`${pair.source}/file`, new Uint8Array(100_000));
  await sync(server(), pair);
  await sync(server(), pair);
  const failing = await postSync(server(), { ...pair, source: `${pair.source}/missing` });
  assertError(failing, 500, "SYNC_FAILED");
  const after = await read();
  assert.equal(after.totalSyncOperations, before.totalSyncOperations + 3);
  assert.equal(after.successfulSyncs, before.successfulSyncs + 2);
  assert.equal(after.failedSyncs, before.failedSyncs + 1);
  assert.equal(after.totalDataTransferred, before.totalDataTransferred + 100_000);
  assert.ok(after.averageSyncDuration > 0);
});

Deno.test("/metrics speaks the Prometheus text format when asked", async () => {
  const asked = [
    await server().request("GET", "/metrics?format=prometheus"),
    await server().request("GET", "/metrics", undefined, { headers: { accept: "text/plain" } }),
  ];
  for (const answer of asked) {
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get("content-type") ?? "", /^text\/plain\b/);
    const samples = answer.text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    assert.ok(samples.length > 0);
    for (const sample of samples) {
      assert.match(sample, /^[a-zA-Z_:][\w:]*(\{[^{}]*\})? (-?[\d.]+(e[+-]?\d+)?|NaN|[+-]Inf)$/);
    }
    assert.match(answer.text, /sync/);
  }
});

Deno.test("an unknown format of the metrics is INVALID_REQUEST", async () => {
  assertError(await server().request("GET", "/metrics?format=xml"), 400, "INVALID_REQUEST");
});

Deno.test("the probes need no token and show no detail", async () => {
  for (const probe of ["//livez", "//readyz"]) {
    const answer = await server().request("GET", probe, undefined, { token: null });
    assert.equal(answer.status, 200);
    assert.ok(answer.text.length < 100);
    assert.ok(!answer.text.includes(server().dataDir));
  }
});

Deno.test("/openapi.json is OpenAPI 3.1, describes every route, and needs no token", async () => {
  const { status, body } = await server().request("GET", "//openapi.json", undefined, { token: null });
  assert.equal(status, 200);
  assert.match(body.openapi, /^3\.1\.\d+$/);
  const described = new Set<string>();
  for (const [path, methods] of Object.entries(body.paths)) {
    const plain = path.replace(/^\/api\/v1/, "").replace(/\{[^}]+\}/g, "{}");
    for (const [method, operation] of Object.entries(methods as Record<string, { responses?: object }>)) {
      described.add(`${method.toUpperCase()} ${plain}`);
      assert.ok(Object.keys(operation.responses ?? {}).length > 0, `${method} ${path} describes no answer`);
    }
  }
  for (const [method, path] of ROUTES) {
    const pattern = path.replace(/^\/cloud\/local\//, "/cloud/{}/");
    assert.ok(described.has(`${method} ${pattern}`), `${method} ${pattern} is not described`);
  }
  const schemes = Object.values(body.components.securitySchemes) as { scheme?: string }[];
  assert.ok(schemes.some(({ scheme }) => scheme === "bearer"));
});

Deno.test("every reference in /openapi.json leads somewhere", async () => {
  const { body } = await server().request("GET", "//openapi.json", undefined, { token: null });
  const references = JSON.stringify(body).match(/"\$ref":"#\/[^"]+"/g) ?? [];
  for (const reference of new Set(references)) {
    const steps = reference.slice('"$ref":"#/'.length, -1).split("/").map((step) => step.replaceAll("~1", "/"));
    assert.ok(steps.reduce((node, step) => node?.[step], body) !== undefined, reference);
  }
});

Deno.test("/docs and all that it loads come from this server", async () => {
  const page = await server().request("GET", "//docs", undefined, { token: null });
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-type") ?? "", /^text\/html\b/);
  const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, target]) => target);
  assert.ok(assets.length > 0);
  for (const asset of assets.filter((asset) => !asset.startsWith("data:"))) {
    const target = new URL(asset, `${server().url}/docs`);
    assert.equal(target.origin, server().url, `${asset} is loaded from elsewhere`);
    const answer = await server().request("GET", `/${target.pathname}`, undefined, { token: null });
    assert.equal(answer.status, 200, asset);
    assert.ok(answer.text.length > 0, asset);
  }
  const policy = page.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src|script-src/);
});
