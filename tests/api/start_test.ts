/** Starting: what is printed, and the one clear line where it cannot. */
import assert from "node:assert/strict";
import { shell } from "../harness/command.ts";
import { poll } from "../harness/poll.ts";
import { makeSandbox, type Sandbox } from "../harness/sandbox.ts";
import { startServer } from "../harness/server.ts";
import { spawnServer } from "../harness/server_process.ts";

/** Starts a server that must not start; returns its exit code and what it printed. */
async function failToStart(sandbox: Sandbox, env: Record<string, string>): Promise<[code: number, stderr: string]> {
  const child = await spawnServer({ sandbox, token: "start-test-token", env });
  try {
    const { code } = await poll("the server's end", () => child.ended());
    return [code, await child.stderr()];
  } finally {
    await child.end("SIGKILL");
  }
}

function assertOneLine([code, stderr]: [number, string], naming: RegExp): void {
  assert.equal(code, 1, stderr);
  assert.match(stderr, naming);
  assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
  assert.doesNotMatch(stderr, /\bat .*:\d+:\d+|node_modules|start-test-token/);
}

const BAD_VARIABLES: [string, string][] = [
  ["PORT", "http"],
  ["PORT", "70000"],
  ["PORT", "-1"],
  ["SYNCLINE_WORKERS", "0"],
  ["SYNCLINE_WORKERS", "many"],
  ["SYNCLINE_RATE_LIMIT", "-3"],
  ["SYNCLINE_RATE_LIMIT", "1.5"],
  ["SYNCLINE_LOG_LEVEL", "loud"],
  ["SYNCLINE_ROOTS", "/does/not/exist/anywhere"],
];

for (const [variable, value] of BAD_VARIABLES) {
  Deno.test(`${variable}=${value} stops the start with one line that names it`, async () => {
    await using sandbox = await makeSandbox();
    assertOneLine(await failToStart(sandbox, { [variable]: value }), new RegExp(variable));
  });
}

Deno.test("a taken port stops the start with one line", async () => {
  await using sandbox = await makeSandbox();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  assertOneLine(await failToStart(sandbox, { PORT: String(port) }), new RegExp(String(port)));
});

Deno.test("a data directory that cannot be made stops the start with one line", async () => {
  await using sandbox = await makeSandbox();
  await Deno.writeTextFile(`${sandbox.home}/file`, "");
  for (const dataDir of [`${sandbox.home}/file`, `${sandbox.home}/file/below`, "/proc/syncline"]) {
    assertOneLine(await failToStart(sandbox, { SYNCLINE_DATA_DIR: dataDir }), /data|directory/i);
  }
});

Deno.test("a data directory in use by another server stops the start with one line", async () => {
  await using sandbox = await makeSandbox();
  await using server = await startServer({ sandbox });
  assertOneLine(await failToStart(sandbox, {}), /use/i);
  assert.equal((await server.request("GET", "/health")).status, 200);
});

Deno.test("a damaged state stops the start with one line and is left as it is", async () => {
  await using sandbox = await makeSandbox();
  await using server = await startServer({ sandbox });
  await server.stop();
  const states = (await Array.fromAsync(Deno.readDir(sandbox.dataDir))).filter(({ name }) => name.endsWith(".db"));
  assert.equal(states.length, 1);
  const path = `${sandbox.dataDir}/${states[0].name}`;
  await Deno.writeTextFile(path, "this is no database, but someone may still want it".repeat(100));
  assertOneLine(await failToStart(sandbox, {}), /state|data/i);
  assert.match(await Deno.readTextFile(path), /someone may still want it/);
});

Deno.test("the first start makes an admin token, prints its place but not it, and a curl that works when pasted", async () => {
  await using server = await startServer({ token: null });
  const path = `${server.dataDir}/admin-token`;
  const token = (await Deno.readTextFile(path)).trim();
  assert.ok(token.length >= 32);
  assert.equal((await server.request("GET", "/keys", undefined, { token })).status, 200);
  const printed = await server.stdout();
  assert.ok(printed.includes(path), printed);
  assert.ok(!printed.includes(token) && !(await server.stderr()).includes(token));
  const pasted = /\bcurl .*/.exec(printed)?.[0];
  assert.ok(pasted !== undefined, printed);
  assert.match(await shell(pasted), /"status":\s*"(healthy|degraded)"/);
});

Deno.test("the token that was made stays the same at the next start", async () => {
  await using sandbox = await makeSandbox();
  await using first = await startServer({ sandbox, token: null });
  const token = first.token;
  await first.stop();
  await using second = await startServer({ sandbox, token: null });
  assert.equal(second.token, token);
  assert.equal((await second.request("GET", "/health")).status, 200);
});

Deno.test("SYNCLINE_TOKEN sets the admin token instead: none is written", async () => {
  await using server = await startServer();
  assert.equal((await server.request("GET", "/keys")).status, 200);
  await assert.rejects(Deno.stat(`${server.dataDir}/admin-token`), Deno.errors.NotFound);
  assert.ok(!(await server.stdout()).includes(server.token));
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`${signal} ends an idle server with code 0`, async () => {
    await using sandbox = await makeSandbox();
    const child = await spawnServer({ sandbox, token: "start-test-token" });
    try {
      await poll("the address", async () => (await child.stdout()).includes("http://") || child.ended() !== undefined);
      assert.equal((await child.end(signal)).code, 0, await child.stderr());
    } finally {
      await child.end("SIGKILL");
    }
  });
}
