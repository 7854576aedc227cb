/** Schedules over HTTP. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { poll } from "../harness/poll.ts";
import { makeSandbox } from "../harness/sandbox.ts";
import { startServer } from "../harness/server.ts";

/** Makes every schedule due, as if the server had been down when its time came. */
function makeDue(dataDir: string): void {
  const database = new DatabaseSync(`${dataDir}/state.db`);
  database.prepare("UPDATE schedules SET next_run_at = ? WHERE enabled = 1").run(Date.now() - 3_600_000);
  database.close();
}

Deno.test("scheduled operations run, are caught up after a start, and show in sessions, audit and metrics", async () => {
  await using sandbox = await makeSandbox();
  const { root } = sandbox;
  await Deno.mkdir(`${root}/source`);
  await Deno.writeTextFile(`${root}/source/file`, "hello");
  const requests = {
    "sync.files": { sourceDirectory: `${root}/source`, targetDirectory: `${root}/target` },
    "backup.create": { sourceDirectory: `${root}/source`, backupPath: `${root}/repository` },
    "backup.check": { backupPath: `${root}/nowhere` },
  };
  const ids: Record<string, string> = {};
  {
    await using server = await startServer({ sandbox });
    for (const [operation, request] of Object.entries(requests)) {
      const body = { name: `nightly ${operation}`, cron: "0 3 * * *", timeZone: "Europe/Berlin", operation, request };
      const answer = await server.request("POST", "/schedules", body);
      assert.equal(answer.status, 201, answer.text);
      ids[operation] = answer.body.id;
      const { id, nextRunAt, createdAt: _, ...rest } = answer.body;
      assert.deepEqual(rest, { ...body, enabled: true, lastRun: null, lastSuccessAt: null });
      assert.ok(Date.parse(nextRunAt) > Date.now() && Date.parse(nextRunAt) <= Date.now() + 25 * 3_600_000, id);
    }
    const paused = {
      name: "off",
      cron: "@daily",
      operation: "sync.files",
      request: requests["sync.files"],
      enabled: false,
    };
    const { body } = await server.request("POST", "/schedules", paused);
    assert.deepEqual([body.nextRunAt, body.timeZone], [null, "UTC"]);
    ids.paused = body.id;
  }
  makeDue(sandbox.dataDir);
  await using server = await startServer({ sandbox });
  const { body } = await poll("the missed runs", async () => {
    const answer = await server.request("GET", "/schedules");
    const over = answer.body.schedules.filter(({ lastRun }: { lastRun: { endedAt: string } | null }) =>
      lastRun?.endedAt
    );
    return over.length === 3 ? answer : undefined;
  });
  assert.equal(body.totalCount, 4);
  assert.equal(await Deno.readTextFile(`${root}/target/file`), "hello");
  const runs = async (id: string) => (await server.request("GET", `/schedules/${id}/runs`)).body.runs;
  const [synced, ...more] = await runs(ids["sync.files"]);
  assert.deepEqual([synced.status, synced.error, more], ["succeeded", null, []]);
  const session = (await server.request("GET", `/sync/session/${synced.sessionId}/status`)).body;
  assert.deepEqual([session.status, session.keyId, session.result.changesApplied], ["completed", ids["sync.files"], 1]);
  const [checked] = await runs(ids["backup.check"]);
  assert.equal(checked.status, "failed");
  assert.match(checked.error, /^NOT_FOUND: .*nowhere/);
  assert.deepEqual(await runs(ids.paused), []);

  const audited = (await server.request("GET", `/audit?keyId=${ids["backup.create"]}`)).body.entries;
  assert.deepEqual(audited.map(({ keyName, path, status }: Record<string, unknown>) => [keyName, path, status]), [
    ["schedule nightly backup.create", "/api/v1/backup/create", 200],
  ]);
  const metrics = (await server.request("GET", "/metrics?format=prometheus")).text;
  // Several may have one name, and one source.
  const label = `id="${
    ids["sync.files"]
  }",schedule="nightly sync.files",operation="sync.files",source="${root}/source"`;
  const [, seconds] = metrics.split("\n")
    .find((line) => line.startsWith(`syncline_schedule_last_success_timestamp_seconds{${label}}`))?.split("} ") ?? [];
  assert.ok(Math.abs(Number(seconds) - Date.now() / 1_000) < 60, seconds);
});

Deno.test("sessions between locations run by schedule, and the run ends as they do", async () => {
  await using sandbox = await makeSandbox();
  const { root } = sandbox;
  await Deno.mkdir(`${root}/source`);
  await Deno.writeTextFile(`${root}/source/file`, "hello");
  const ids: Record<string, string> = {};
  {
    await using server = await startServer({ sandbox });
    for (
      const [name, directory] of [["here", "source"], ["there", "target"], ["other", "other"], ["gone", "nowhere"]]
    ) {
      const answer = await server.request("POST", "/locations", { name, directory: `${root}/${directory}` });
      assert.equal(answer.status, 201, answer.text);
    }
    for (const [from, to] of [["here", "there"], ["gone", "other"], ["here", "unknown"]]) {
      const request = { sourceLocation: from, targetLocation: to, syncType: "Files" };
      const schedule = { name: `${from} to ${to}`, cron: "@daily", operation: "sync.locations", request };
      const answer = await server.request("POST", "/schedules", schedule);
      assert.equal(answer.status, 201, answer.text);
      ids[to === "unknown" ? to : from] = answer.body.id;
    }
  }
  makeDue(sandbox.dataDir);
  await using server = await startServer({ sandbox });
  const runOf = (id: string) =>
    poll("the missed run", async () => {
      const [run] = (await server.request("GET", `/schedules/${id}/runs`)).body.runs;
      return run?.endedAt ? run : undefined;
    });
  const run = await runOf(ids.here);
  assert.deepEqual([run.status, run.error], ["succeeded", null]);
  const session = (await server.request("GET", `/sync/session/${run.sessionId}/status`)).body;
  assert.deepEqual([session.kind, session.status, session.result.changesApplied], ["sync.locations", "completed", 1]);
  assert.ok(Date.parse(run.endedAt) >= Date.parse(session.completedAt));
  assert.equal(await Deno.readTextFile(`${root}/target/file`), "hello");
  for (
    const [name, words] of [["gone", /nowhere/], ["unknown", /^NOT_FOUND: .*here or unknown/]] as const
  ) {
    const { status, error, sessionId } = await runOf(ids[name]);
    assert.equal(status, "failed");
    assert.match(error, words);
    const { completedAt } = (await server.request("GET", `/sync/session/${sessionId}/status`)).body;
    assert.notEqual(completedAt, null);
  }
});

Deno.test("schedules are changed and deleted; what makes none is refused", async () => {
  await using server = await startServer();
  const request = { sourceDirectory: `${server.root}/a`, targetDirectory: `${server.root}/b` };
  const good = { name: "n", cron: "*/5 * * * *", operation: "sync.files", request };
  const { id, nextRunAt } = (await server.request("POST", "/schedules", good)).body;
  const path = `/schedules/${id}`;
  const off = await server.request("PATCH", path, { enabled: false, name: "m" });
  assert.deepEqual([off.status, off.body.enabled, off.body.nextRunAt, off.body.name, off.body.cron], [
    200,
    false,
    null,
    "m",
    "*/5 * * * *",
  ]);
  const on = await server.request("PATCH", path, { enabled: true, cron: "0 0 1 1 *" });
  assert.ok(Date.parse(on.body.nextRunAt) > Date.parse(nextRunAt));
  assert.deepEqual((await server.request("GET", path)).body, on.body);

  const bad: [object, RegExp][] = [
    [{ cron: "61 * * * *" }, /"cron" must be a cron expression of five fields/],
    [{ cron: "* * * * * *" }, /"cron" must be a cron expression of five fields/],
    [{ cron: "0 0 31 2 *" }, /"cron" never comes true/],
    [{ timeZone: "Mars/Base" }, /"timeZone" must be an IANA time zone/],
    [{ request: {} }, /"request" of sync.files: "sourceDirectory" is required/],
    [{ request: { ...request, bogus: 1 } }, /"bogus" is not a field here/],
  ];
  for (const [fields, words] of bad) {
    for (
      const [method, where, body] of [["POST", "/schedules", { ...good, ...fields }], ["PATCH", path, fields]] as const
    ) {
      const answer = await server.request(method, where, body);
      assert.deepEqual([answer.status, answer.body.errorCode], [400, "INVALID_REQUEST"], answer.text);
      assert.match(answer.body.details, words);
    }
  }
  assert.equal((await server.request("POST", "/schedules", { ...good, operation: "rm" })).status, 400);
  const large = await server.request("PATCH", path, { name: "x".repeat(2 << 20) });
  assert.deepEqual([large.status, large.body.errorCode], [413, "PAYLOAD_TOO_LARGE"]);
  assert.equal((await server.request("GET", "/schedules")).body.totalCount, 1);
  assert.equal((await server.request("DELETE", path)).status, 204);
  for (const [method, where] of [["GET", path], ["PATCH", path], ["DELETE", path], ["GET", `${path}/runs`]]) {
    assert.equal((await server.request(method, where, method === "PATCH" ? {} : undefined)).status, 404, method);
  }
  const reader = (await server.request("POST", "/keys", { name: "r", scopes: ["read", "sync"] })).body;
  assert.equal((await server.request("GET", "/schedules", undefined, { token: reader.token })).status, 403);
});

Deno.test("a schedule of databases shows no password", async () => {
  await using server = await startServer();
  const request = {
    sourceConnectionString: "postgres://reader:hunter2@db.example/shop",
    targetConnectionString: `sqlite:${server.root}/shop.db`,
    entityNames: ["Users"],
  };
  const made = await server.request("POST", "/schedules", {
    name: "db",
    cron: "@daily",
    operation: "sync.database",
    request,
  });
  assert.equal(made.status, 201, made.text);
  for (const path of ["/schedules", `/schedules/${made.body.id}`, "/metrics?format=prometheus", "/audit"]) {
    const { status, text } = await server.request("GET", path);
    assert.equal(status, 200);
    assert.ok(!text.includes("hunter2"), path);
  }
  assert.match(made.body.request.sourceConnectionString, /db\.example/);
  const oracle = { ...request, sourceConnectionString: "oracle://u:hunter2@h/d" };
  const refused = await server.request("PATCH", `/schedules/${made.body.id}`, { request: oracle });
  assert.deepEqual([refused.status, refused.text.includes("hunter2")], [400, false], refused.text);
  // What is shown is not what is kept: a change of something else keeps the connection.
  const renamed = await server.request("PATCH", `/schedules/${made.body.id}`, { name: "other" });
  assert.equal(renamed.status, 200);
  assert.ok(!(await server.stderr()).includes("hunter2"));
});
