/** Every command in the README's fenced `sh` blocks is run, so that none can go out of date. */
import assert from "node:assert/strict";
import { shell, withCommands } from "./harness/command.ts";
import { poll } from "./harness/poll.ts";
import { makeSandbox } from "./harness/sandbox.ts";
import { startServer } from "./harness/server.ts";
import { PROJECT, readIfThere } from "./harness/server_process.ts";

const README = await Deno.readTextFile(`${PROJECT}/README.md`);
const NPX = /^npx -y deno@(\S+) task (\S+)(.*)$/;

/** The commands of all `sh` blocks, lines that end with a backslash joined, comments left out. */
function commands(): string[][] {
  return [...README.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) =>
    block.replaceAll("\\\n", " ").split("\n").map((line) => line.trim()).filter((line) =>
      line !== "" && !line.startsWith("#")
    )
  );
}

const blocks = commands();
const npx = blocks.flat().map((line) => NPX.exec(line)).filter((match) => match !== null);

/** The server that the test has started stands for `start`; the gate and the bench are no part of themselves. */
function isRun(line: string): boolean {
  const [, , task] = NPX.exec(line) ?? [];
  return task === undefined || task === "syncline";
}

/** `npx` would fetch what runs here already; the reader's directory is the project's, and here it is a fresh one. */
function throughThisDeno(line: string): string {
  return line.replace(
    NPX,
    (_line, _version, task, rest) => `'${Deno.execPath()}' task --quiet --cwd '${PROJECT}' ${task}${rest}`,
  );
}

Deno.test("the README has commands, and none in a block of another kind", () => {
  assert.ok(npx.some(([, , task]) => task === "start"));
  assert.ok(npx.some(([, , task]) => task === "test"));
  assert.ok(blocks.flat().some((line) => line.startsWith("curl ")));
  for (const [, kind] of README.matchAll(/^```(\w*)\n[\s\S]*?^```$/gm)) {
    assert.ok(
      kind !== "" && !["bash", "shell", "console"].includes(kind),
      `a block of the kind "${kind}" would not be run`,
    );
  }
});

Deno.test("the README's npx commands name this Deno and tasks that exist", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${PROJECT}/deno.json`));
  for (const [line, version, task] of npx) {
    assert.equal(version, Deno.version.deno, line);
    assert.ok(task in tasks, line);
  }
});

Deno.test({ ...withCommands("deno task start serves, and prints a curl that works", ["curl"]), fn: startServes });

async function startServes() {
  await using sandbox = await makeSandbox();
  const [stdout, stderr] = [`${sandbox.home}/stdout`, `${sandbox.home}/stderr`];
  const child = new Deno.Command("sh", {
    args: ["-c", 'exec "$1" task start >"$2" 2>"$3"', "sh", Deno.execPath(), stdout, stderr],
    cwd: PROJECT,
    env: {
      NO_COLOR: "1",
      PORT: "0",
      SYNCLINE_DATA_DIR: sandbox.dataDir,
      SYNCLINE_ROOTS: sandbox.root,
      SYNCLINE_TOKEN: "",
    },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    const line = await poll("a curl on stdout", async () => {
      return /\bcurl .*(?=\n)/.exec(await readIfThere(stdout))?.[0];
    });
    assert.match(await shell(line), /"status":\s*"(healthy|degraded)"/);
  } finally {
    child.kill("SIGTERM");
    await child.status;
  }
}

Deno.test({
  ...withCommands("every other command of the README works as it stands, in a directory of its own", [
    "curl",
    "sqlite3",
  ]),
  fn: everyOtherCommandWorks,
});

async function everyOtherCommandWorks() {
  await using sandbox = await makeSandbox();
  // As the README's reader has it: started in a directory, which is the root, with the data directory in it.
  const env = { SYNCLINE_DATA_DIR: `${sandbox.root}/data`, SYNCLINE_ROOTS: sandbox.root };
  await using server = await startServer({ sandbox, token: null, env });
  for (const block of blocks) {
    const script = block.filter(isRun).map(throughThisDeno).join("\n")
      .replaceAll(/http:\/\/(localhost|127\.0\.0\.1):8080/g, server.url);
    // A failed request must fail the script, which the reader's own curl need not. The reader's shell is in no task, but this test may be.
    await shell(`unset INIT_CWD\ncurl() { command curl --fail-with-body --silent --show-error "$@"; }\n${script}`, [], {
      cwd: sandbox.root,
    });
  }
}
