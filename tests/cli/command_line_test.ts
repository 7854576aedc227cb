/** What the command line has in common: arguments, exit codes, output. */
import assert from "node:assert/strict";
import { syncline, synclineJson, synclineResult } from "../harness/command_line.ts";
import { assertSameTree } from "../harness/compare.ts";
import { makeSandbox } from "../harness/sandbox.ts";

Deno.test("help is no failure, and says what the exit codes are", async () => {
  const { code, stdout } = await syncline(["--help"]);
  assert.equal(code, 0);
  for (const word of ["serve", "backup", "key", "sync", "database", "Exit codes", "SYNCLINE_REPOSITORY_PASSWORD"]) {
    assert.ok(stdout.includes(word), word);
  }
  assert.match((await syncline(["backup", "prune", "--help"])).stdout, /--keep-weekly/);
});

Deno.test("a command line that cannot be used ends with 2 and says why, on stderr", async () => {
  const cases: [string[], RegExp, Record<string, string>?][] = [
    [["bogus"], /unknown command 'bogus'/],
    [["backup", "create", "only-one"], /missing required argument 'repository'/],
    [["backup", "list", ".", "--no-such-option"], /unknown option/],
    [["backup", "prune", ".", "--keep-daily", "x"], /whole number/],
    [["backup", "prune", "."], /at least one rule/],
    [["backup", "check", ".", "--read-data", "--subset", "0"], /1 to 100/],
    [["key", "add", "."], /--new-password-file/],
    [["backup", "list", ".", "--password-file", "/no/such/file"], /password file/],
    [["sync", ".", "x", "--dry-run"], /SYNCLINE_WORKERS/, { SYNCLINE_WORKERS: "none" }],
  ];
  for (const [args, message, env] of cases) {
    const { code, stdout, stderr } = await syncline(args, { env });
    assert.deepEqual([code, stdout], [2, ""], args.join(" "));
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\bat .*\.ts:\d+/, "a stack is shown");
  }
});

Deno.test("sync copies from a relative path, and 1 is the code of what cannot be done", async () => {
  await using sandbox = await makeSandbox();
  await Deno.mkdir(`${sandbox.root}/from`);
  await Deno.writeTextFile(`${sandbox.root}/from/file`, "hello");
  const options = { cwd: sandbox.root };
  const planned = await synclineResult(["sync", "from", "to", "--dry-run"], 0, options);
  assert.deepEqual([planned.dryRun, planned.plan.length > 0], [true, true]);
  const done = await syncline(["sync", "from", "to"], options);
  assert.deepEqual([done.code, done.stderr], [0, ""]);
  assert.match(done.stdout, /^1 created, .*5 bytes copied/);
  await assertSameTree(`${sandbox.root}/from`, `${sandbox.root}/to`);

  await Deno.writeTextFile(`${sandbox.root}/to/extra`, "");
  const lines = await synclineJson(["sync", "from", "to", "--delete"], 0, options);
  assert.ok(lines.slice(0, -1).every(({ type }) => type === "progress"));
  assert.deepEqual([lines.at(-1).type, lines.at(-1).statistics.deleted], ["result", 1]);

  const missing = await synclineResult(["sync", "nowhere", "to"], 1, options);
  assert.deepEqual([missing.errorCode, missing.details.includes(`${sandbox.root}/nowhere`)], ["SYNC_FAILED", true]);
});

Deno.test("what is done but for single files ends with 3, and each is named", async () => {
  await using sandbox = await makeSandbox();
  await Deno.mkdir(`${sandbox.root}/from`);
  await Deno.writeTextFile(`${sandbox.root}/from/file`, "hello");
  await new Deno.Command("mkfifo", { args: [`${sandbox.root}/from/pipe`] }).output();
  const { code, stdout, stderr } = await syncline(["sync", "from", "to"], { cwd: sandbox.root });
  assert.deepEqual([code, stderr.startsWith("pipe: ")], [3, true], stderr);
  assert.match(stdout, /1 error\b/);
  assert.equal(await Deno.readTextFile(`${sandbox.root}/to/file`), "hello");
});
