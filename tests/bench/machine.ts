import { loadavg } from "node:os";
import { run } from "./command.ts";

/** What the figures were measured on. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryBytes: number;
  virtual: boolean;
  kernel: string;
  filesystem: string;
  /** Of one minute, before anything was measured. */
  loadAverage: number;
  deno: string;
}

/** Describes this machine, and the file system that holds `directory`. */
export async function describeMachine(directory: string, signal: AbortSignal): Promise<Machine> {
  const cpuinfo = await Deno.readTextFile("/proc/cpuinfo");
  const { stdout } = await run(["df", "--output=fstype", directory], { signal, capture: true });
  return {
    cpu: /^model name\s*:\s*(.+)$/m.exec(cpuinfo)?.[1] ?? Deno.build.arch,
    cores: navigator.hardwareConcurrency,
    memoryBytes: Deno.systemMemoryInfo().total,
    virtual: /^flags\s*:.*\bhypervisor\b/m.test(cpuinfo),
    kernel: Deno.osRelease(),
    filesystem: stdout.trim().split("\n").at(-1) ?? "unknown",
    loadAverage: loadavg()[0],
    deno: Deno.version.deno,
  };
}
