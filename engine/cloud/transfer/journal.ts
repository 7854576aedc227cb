import { createHash } from "node:crypto";
import { EngineError } from "../../errors.ts";

/** How the name of a journal ends that is being written. */
export const UNFINISHED = ".new";

/**
 * What is known of a transfer that is under way, in a file: its plan in the first line, each later line some parts that are done. It is
 * there as long as the transfer has not come to its end, so that the same request goes on where the last one stopped. Only names are
 * believed that the stores and files confirm.
 */
export class Journal<Header, Part> {
  private constructor(private readonly file: string) {}

  /** @param identity what makes two requests the same transfer. */
  static at<Header, Part>(directory: string, identity: string[]): Journal<Header, Part> {
    const name = createHash("sha256").update(JSON.stringify(identity)).digest("hex");
    return new Journal(`${directory}/${name}.jsonl`);
  }

  static of<Header, Part>(file: string): Journal<Header, Part> {
    return new Journal(file);
  }

  /** Undefined where there is none that can be read. A line that was cut is left out. */
  async read(): Promise<{ header: Header; parts: Part[] } | undefined> {
    const lines = (await readIfPresent(this.file))?.split("\n").slice(0, -1);
    if (lines === undefined || lines.length === 0) return undefined;
    try {
      const [header, ...parts] = lines.map((line) => JSON.parse(line));
      return { header: header as Header, parts: (parts as Part[][]).flat() };
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  /** Writes it anew, in one step. */
  async begin(header: Header, parts: Part[]): Promise<void> {
    const lines = [header, ...parts.length > 0 ? [parts] : []].map((line) => `${JSON.stringify(line)}\n`);
    const fresh = `${this.file}${UNFINISHED}`;
    await this.#write(async () => {
      await Deno.writeTextFile(fresh, lines.join(""), { mode: 0o600 });
      await Deno.rename(fresh, this.file);
    });
  }

  async #write(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      const details = `The server's data directory cannot be written: ${reason(error)}.`;
      throw new EngineError("storage-unavailable", "The transfer cannot be kept track of", details, { cause: error });
    }
  }

  async add(parts: Part[]): Promise<void> {
    await this.#write(() => Deno.writeTextFile(this.file, `${JSON.stringify(parts)}\n`, { append: true }));
  }

  /** Makes room for another of the same transfer; the clean-up finds this one. */
  async setAside(): Promise<void> {
    await this.#write(() => Deno.rename(this.file, this.file.replace(/(?=\.jsonl$)/, `-${crypto.randomUUID()}`)));
  }

  async end(): Promise<void> {
    try {
      await Deno.remove(this.file);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/ \(os error \d+\).*$/s, "").toLowerCase();
}

async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
