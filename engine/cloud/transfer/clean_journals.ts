import type { TaskPool } from "../../../workers/types.ts";
import type { DownloadHeader } from "./download.ts";
import { Journal, UNFINISHED } from "./journal.ts";
import type { UploadHeader } from "./upload.ts";

/** Nobody comes back for a transfer that was interrupted longer ago, in ms. */
const KEEP_MS = 86_400_000;

/**
 * Gives up transfers that were interrupted long ago: their parts in the store, their files on the disk. One that cannot be given up now is
 * reported and tried again the next time.
 */
export async function cleanJournals(
  { pool, journals }: { pool: TaskPool; journals: string },
  report: (message: string, error: unknown) => void,
  keepMs = KEEP_MS,
): Promise<void> {
  for await (const { name } of Deno.readDir(journals)) {
    const file = `${journals}/${name}`;
    try {
      const { mtime } = await Deno.stat(file);
      if (mtime === null || Date.now() - mtime.getTime() < keepMs) continue;
      if (name.endsWith(UNFINISHED)) {
        await Deno.remove(file);
        continue;
      }
      const journal = Journal.of<UploadHeader | DownloadHeader, unknown>(file);
      const header = (await journal.read())?.header;
      await using tasks = pool.job({ name: "cloud clean-up" });
      if (header?.kind === "upload") {
        const { location, key, begunAt, plan } = header;
        if (plan === undefined) await tasks.run("cloud.upload.abortBegun", { location, key, begunAt });
        else await tasks.run("cloud.upload.abort", { location, upload: plan.upload });
      } else if (header?.kind === "download") {
        await tasks.run("cloud.download.discard", { path: header.path, temporary: header.plan.temporary });
      }
      await journal.end();
    } catch (error) {
      report(`Cannot give up an interrupted transfer (${name})`, error);
    }
  }
}
