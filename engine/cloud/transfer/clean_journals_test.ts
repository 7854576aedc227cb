import assert from "node:assert/strict";
import { cleanJournals } from "./clean_journals.ts";
import type { DownloadHeader } from "./download.ts";
import { Journal } from "./journal.ts";
import { createPool } from "../../../workers/pool.ts";

const fail = (message: string, error: unknown) => assert.fail(`${message}: ${error}`);

Deno.test("what an interrupted download left is removed once it is old, and nothing that it does not own", async () => {
  const home = await Deno.realPath(await Deno.makeTempDir());
  const pool = createPool({ size: 1 });
  try {
    const journals = `${home}/journals`;
    await Deno.mkdir(journals);
    const temporary = `.syncline-${crypto.randomUUID()}.part`;
    for (const [index, name] of [temporary, "precious", "../outside"].entries()) {
      await Deno.writeTextFile(`${home}/${name.replace("../", "")}`, "x");
      const plan = { size: 1, etag: "e", crc: undefined, partSize: 8, temporary: name };
      const header: DownloadHeader = { kind: "download", path: `${home}/down`, plan };
      await Journal.at<DownloadHeader, never>(journals, [String(index)]).begin(header, []);
    }
    await Deno.writeTextFile(`${journals}/half.jsonl.new`, "");
    await Deno.writeTextFile(`${journals}/cut.jsonl`, '{"kind":"down');
    await cleanJournals({ pool, journals }, fail);
    assert.equal((await Array.fromAsync(Deno.readDir(journals))).length, 5);
    await cleanJournals({ pool, journals }, fail, -1000);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(journals)), []);
    const left = (await Array.fromAsync(Deno.readDir(home))).map(({ name }) => name).sort();
    assert.deepEqual(left, ["journals", "outside", "precious"]);
  } finally {
    await pool.close();
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("a journal whose last line was cut gives the parts before it", async () => {
  const home = await Deno.makeTempDir();
  try {
    const journal = Journal.at<{ plan: number }, number>(home, ["a", "b"]);
    assert.equal(await journal.read(), undefined);
    await journal.begin({ plan: 1 }, [1, 2]);
    await journal.add([3]);
    const [{ name }] = await Array.fromAsync(Deno.readDir(home));
    await Deno.writeTextFile(`${home}/${name}`, "[4", { append: true });
    assert.deepEqual(await journal.read(), { header: { plan: 1 }, parts: [1, 2, 3] });
    await journal.end();
    assert.equal(await journal.read(), undefined);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});
