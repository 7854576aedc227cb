/** A target that takes names in another case for the same, and keeps coarse times: exFAT, mounted for real. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { inlinePool } from "./inline_pool.ts";
import { PathLocks } from "./locks.ts";
import { prepareDataDirectory, syncFiles } from "./sync.ts";
import type { SyncFilesRequest } from "./types.ts";

async function output(command: string, ...args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(command, { args, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** A small exFAT file system, mounted; undefined where this machine cannot. */
async function mountExfat(path: string): Promise<AsyncDisposable & { path: string } | undefined> {
  const [image, mounted] = [`${path}/image`, `${path}/exfat`];
  fs.mkdirSync(mounted);
  fs.writeFileSync(image, "");
  fs.truncateSync(image, 32 << 20);
  const device = await output("losetup", "-f", "--show", image);
  if (device === undefined) return undefined;
  const made = await output("mkfs.exfat", device) !== undefined &&
    await output("mount.exfat-fuse", device, mounted) !== undefined;
  if (!made) {
    await output("losetup", "-d", device);
    return undefined;
  }
  return {
    path: mounted,
    async [Symbol.asyncDispose]() {
      await output("umount", mounted);
      await output("losetup", "-d", device);
    },
  };
}

const path = Deno.realPathSync(Deno.makeTempDirSync());
const probe = await mountExfat(path);
await probe?.[Symbol.asyncDispose]();
fs.rmSync(path, { recursive: true });

Deno.test({
  name: "case-only renames and coarse times" + (probe === undefined ? " (skipped: cannot mount exFAT here)" : ""),
  ignore: probe === undefined,
  async fn() {
    const home = Deno.realPathSync(Deno.makeTempDirSync());
    const source = `${home}/source`;
    fs.mkdirSync(`${source}/Dir`, { recursive: true });
    try {
      await using exfat = await mountExfat(home);
      assert.ok(exfat !== undefined);
      fs.mkdirSync(`${home}/data`);
      await prepareDataDirectory(`${home}/data`);
      const services = { pool: inlinePool(), dataDir: `${home}/data`, locks: new PathLocks() };
      const request: SyncFilesRequest = {
        sourceDirectory: source,
        targetDirectory: exfat.path,
        deleteMissingInTarget: true,
        verifyIntegrity: true,
        excludePatterns: [],
        includePatterns: [],
        direction: "one-way",
        conflictStrategy: "SourceWins",
        dryRun: false,
        trashRetentionDays: 30,
        preservePermissions: false,
      };
      let runs = 0;
      const sync = (part: Partial<SyncFilesRequest> = {}) => {
        const job = { sessionId: `run${++runs}`, signal: new AbortController().signal, progress: () => {} };
        return syncFiles({ ...request, ...part }, services, job);
      };
      const list = () => fs.readdirSync(exfat.path, { recursive: true }).sort();

      fs.writeFileSync(`${source}/Readme`, "one");
      fs.writeFileSync(`${source}/Dir/File`, "two");
      assert.deepEqual((await sync()).errors, []);
      const again = await sync();
      assert.deepEqual([again.changesApplied, again.conflictsEncountered], [0, 0]);

      fs.renameSync(`${source}/Readme`, `${source}/README`);
      fs.renameSync(`${source}/Dir`, `${source}/dir`);
      fs.renameSync(`${source}/dir/File`, `${source}/dir/FILE`);
      const renamed = await sync();
      assert.deepEqual(renamed.errors, []);
      assert.deepEqual([renamed.statistics.renamed, renamed.statistics.deleted], [3, 0]);
      assert.deepEqual(list(), ["README", "dir", "dir/FILE"]);
      assert.equal(fs.readFileSync(`${exfat.path}/dir/FILE`, "utf8"), "two");

      // Names there may have three times as many bytes as others allow.
      const long = "€".repeat(200);
      fs.mkdirSync(`${home}/back`);
      fs.writeFileSync(`${exfat.path}/${long}`, "long");
      const back = await sync({ sourceDirectory: exfat.path, targetDirectory: `${home}/back` });
      assert.deepEqual(back.errors.map((error) => error.slice(0, 203)), [`${long}: n`]);
      assert.deepEqual(fs.readdirSync(`${home}/back`).sort(), ["README", "dir"]);
      fs.unlinkSync(`${exfat.path}/${long}`);

      // Both cannot be kept there: neither may silently take the other's place.
      fs.writeFileSync(`${source}/readme`, "another");
      const clash = await sync();
      assert.equal(clash.success, false);
      assert.match(clash.errors[0], /^readme: /);
      assert.equal(fs.readFileSync(`${exfat.path}/README`, "utf8"), "one");
    } finally {
      fs.rmSync(home, { recursive: true });
    }
  },
});
