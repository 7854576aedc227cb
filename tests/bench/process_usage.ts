/** What the kernel tells of a process of this user's. */

/** Processor time of all its threads, in milliseconds, in steps of one clock tick (10 ms). */
export async function processorMs(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticksPerSecond = 100;
  return (Number(fields[11]) + Number(fields[12])) * (1000 / ticksPerSecond);
}

/** The most memory that a process held, over its life and in parts of it: the high-water mark of its resident pages. */
export class MemoryPeak {
  readonly #pid: number;
  #bytes = 0;

  constructor(pid: number) {
    this.#pid = pid;
  }

  /** Bytes since the last {@link restart}. */
  async read(): Promise<number> {
    const status = await Deno.readTextFile(`/proc/${this.#pid}/status`);
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(status);
    if (match === null) throw new Error(`Cannot read the memory of process ${this.#pid}: its status has no VmHWM`);
    const bytes = Number(match[1]) * 1024;
    this.#bytes = Math.max(this.#bytes, bytes);
    return bytes;
  }

  /** Begins a new part. */
  async restart(): Promise<void> {
    await this.read();
    await Deno.writeTextFile(`/proc/${this.#pid}/clear_refs`, "5");
  }

  /** Bytes since the process began. */
  async overall(): Promise<number> {
    await this.read();
    return this.#bytes;
  }
}
