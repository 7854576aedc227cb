/** `direction: "two-way"` over HTTP where sizes and modification times do not tell what was edited. */
import assert from "node:assert/strict";
import { shell } from "../harness/command.ts";
import { createRandom, testSeed } from "../harness/random.ts";
import { makeSandbox } from "../harness/sandbox.ts";
import { killDuring, type Server, startServer } from "../harness/server.ts";
import { sharedServer } from "../harness/suite.ts";

const getServer = sharedServer();
let pairs = 0;

/** A pair of directories on the server. */
class Pair {
  readonly a: string;
  readonly b: string;
  readonly #server: Server;

  constructor(server: Server, name = `pair-${++pairs}`) {
    this.#server = server;
    [this.a, this.b] = [`${server.root}/${name}/a`, `${server.root}/${name}/b`];
  }

  /** Runs a shell script in which `$1` and `$2` are both sides. */
  async run(script: string): Promise<void> {
    await shell(script, [this.a, this.b]);
  }

  async sync(fields: object = {}) {
    const { a: sourceDirectory, b: targetDirectory } = this;
    const request = { sourceDirectory, targetDirectory, direction: "two-way", ...fields };
    const { status, body, text } = await this.#server.request("POST", "/sync/files", request);
    assert.deepEqual([status, body.errors], [200, []], text.slice(0, 500));
    return body;
  }

  /** All files and times of a side but its trash. */
  async list(side: "a" | "b"): Promise<string> {
    return await shell(
      'cd "$1" && find . -path ./.syncline-trash -prune -o -type f -printf "%P %T@ " -exec cat {} ";" | sort',
      [this[side]],
    );
  }

  async assertEqual(expected: Record<string, string>): Promise<void> {
    assert.equal(await this.list("a"), await this.list("b"));
    for (const [name, text] of Object.entries(expected)) {
      assert.equal(await Deno.readTextFile(`${this.a}/${name}`), text, name);
    }
  }
}

/** Edits of `$file` that keep its size and its time to the nanosecond; the text has four characters. */
const HIDDEN = {
  "touch -r": (file: string, text: string) =>
    `cp -p "${file}" "${file}.time" && echo ${text} > "${file}" && touch -r "${file}.time" "${file}" && rm "${file}.time"`,
  "mv": (file: string, text: string) =>
    `echo ${text} > "${file}.new" && touch -r "${file}" "${file}.new" && mv "${file}.new" "${file}"`,
  "cp -p": (file: string, text: string) =>
    `echo ${text} > "${file}.other" && touch -r "${file}" "${file}.other" && cp -p "${file}.other" "${file}" && rm "${file}.other"`,
};

for (const [how, edit] of Object.entries(HIDDEN)) {
  Deno.test(`an edit that keeps size and time, by ${how}, goes from each side to the other`, async () => {
    const pair = new Pair(getServer());
    await pair.run(
      'mkdir -p "$1" "$2" && echo same > "$1/left" && echo same > "$1/right" && cp -p "$1/right" "$2/right"',
    );
    await pair.sync();
    await pair.run(`${edit("$1/left", "new1")}; ${edit("$2/right", "new2")}`);
    const planned = await pair.sync({ dryRun: true });
    assert.deepEqual(
      planned.plan.map(({ path, side }: Record<string, string>) => [path, side]).sort(),
      [["left", "target"], ["right", "source"]],
    );
    const { changesApplied, conflicts } = await pair.sync();
    assert.deepEqual([changesApplied, conflicts], [2, []]);
    await pair.assertEqual({ left: "new1\n", right: "new2\n" });
    await pair.run('test "$(cat "$2"/.syncline-trash/*/left)" = same');
    assert.equal((await pair.sync()).changesApplied, 0);
  });
}

Deno.test("a file that was only touched is no edit: the other side's edit or deletion goes through", async () => {
  const pair = new Pair(getServer());
  await pair.run('mkdir -p "$1" && for name in edited deleted both; do echo same > "$1/$name"; done');
  await pair.sync();
  await pair.run('touch "$1"/* "$2/both"; echo "edited there" > "$2/edited"; rm "$2/deleted"');
  const { conflicts, statistics } = await pair.sync({ conflictStrategy: "Manual" });
  assert.deepEqual([conflicts, statistics.deleted], [[], 1]);
  await pair.assertEqual({ edited: "edited there\n", both: "same\n" });
  await assert.rejects(Deno.stat(`${pair.a}/deleted`), Deno.errors.NotFound);
  assert.equal((await pair.sync()).changesApplied, 0);
});

Deno.test("permissions of many files change on both sides: nothing is copied, and there is no conflict", async () => {
  const pair = new Pair(getServer());
  await pair.run('mkdir -p "$1" && cd "$1" && for name in $(seq 300); do echo $name > $name; done');
  await pair.sync();
  await pair.run('chmod 640 "$1"/1*; chmod 600 "$2"/2*; chmod 644 "$1"/3* "$2"/3*');
  const { conflicts, statistics } = await pair.sync();
  assert.deepEqual([conflicts, statistics.bytesTransferred], [[], 0]);
  await pair.run('test "$(stat -c %a "$1/2" "$2/1" | tr "\\n" " ")" = "600 640 "');
  assert.equal((await pair.sync()).changesApplied, 0);
});

Deno.test("edits that keep size and time outlive kills of the server", async () => {
  const random = createRandom(testSeed("two-way contents kill"));
  await using sandbox = await makeSandbox();
  const [a, b] = [`${sandbox.root}/kill/a`, `${sandbox.root}/kill/b`];
  await Deno.mkdir(a, { recursive: true });
  await Deno.mkdir(b);
  const wanted = new Map<string, string>();
  const time = new Date("2024-01-02T03:04:05Z");
  for (let round = 0; round < 6; round++) {
    for (let count = 0; count < 200; count++) {
      // Every name belongs to one side at a time, and all files look alike.
      const number = random.below(400);
      const path = `${(number + round) % 2 === 0 ? a : b}/file-${number}`;
      const text = `${round}-${count}`.padEnd(40, ".") + "\n";
      await Deno.writeTextFile(path, text);
      await Deno.utime(path, time, time);
      wanted.set(`file-${number}`, text);
    }
    {
      await using server = await startServer({ sandbox });
      // A first run that is killed leaves no knowledge of contents.
      if (round === 0) await new Pair(server, "kill").sync();
      await killDuring(server, new Pair(server, "kill").sync(), random.below(120));
    }
    await using again = await startServer({ sandbox });
    const pair = new Pair(again, "kill");
    assert.deepEqual((await pair.sync()).conflicts, []);
    await pair.assertEqual(Object.fromEntries(wanted));
  }
});
