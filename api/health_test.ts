import assert from "node:assert/strict";
import { poll } from "../tests/harness/poll.ts";
import { HealthProbe } from "./health.ts";

async function withDirectory(use: (dataDir: string) => Promise<void>): Promise<void> {
  const home = await Deno.realPath(await Deno.makeTempDir({ prefix: "syncline-health-" }));
  await Deno.mkdir(`${home}/data`);
  try {
    await use(`${home}/data`);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

Deno.test("a database that rejects is unavailable, and the server unhealthy", async () => {
  await withDirectory(async (dataDir) => {
    using probe = new HealthProbe({ dataDir, ping: () => Promise.reject(new Error("closed")) });
    const { status, details } = await probe.measure();
    assert.deepEqual([status, details.database], ["unhealthy", "unavailable"]);
  });
});

Deno.test("a database that never answers is unavailable within a bounded time", async () => {
  await withDirectory(async (dataDir) => {
    using probe = new HealthProbe({ dataDir, ping: () => new Promise(() => {}) });
    assert.equal((await probe.measure()).details.database, "unavailable");
  });
});

Deno.test("a data directory that was moved away is missing, also where another took its place", async () => {
  await withDirectory(async (dataDir) => {
    using probe = new HealthProbe({ dataDir, ping: () => Promise.resolve() });
    assert.notEqual((await probe.measure()).details.storage, "missing");
    await Deno.rename(dataDir, `${dataDir}-away`);
    await Deno.mkdir(dataDir);
    const { status } = await poll("the next measurement", async () => {
      const report = await probe.measure();
      return report.details.storage === "missing" ? report : undefined;
    });
    assert.equal(status, "unhealthy");
  });
});

Deno.test("a hundred questions at once are one measurement", async () => {
  await withDirectory(async (dataDir) => {
    let pings = 0;
    const ping = () => {
      pings++;
      return Promise.resolve();
    };
    using probe = new HealthProbe({ dataDir, ping });
    const reports = await Promise.all(Array.from({ length: 100 }, () => probe.measure()));
    assert.deepEqual([pings, new Set(reports).size], [1, 1]);
  });
});
