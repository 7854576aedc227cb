/** How many processors were busy on average over this time: with whatever runs on the machine, the caller included. */
export async function busyProcessors(milliseconds: number): Promise<number> {
  const before = await processorTimes();
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  const after = await processorTimes();
  const total = after.total - before.total;
  return total === 0 ? 0 : ((after.busy - before.busy) / total) * navigator.hardwareConcurrency;
}

/** In clock ticks of all processors together. Waiting for a disk is not busy; time taken by other guests is. */
async function processorTimes(): Promise<{ busy: number; total: number }> {
  const [line] = (await Deno.readTextFile("/proc/stat")).split("\n", 1);
  const [user, nice, system, idle, ioWait, irq, softIrq, steal] = line.split(/\s+/).slice(1).map(Number);
  const busy = user + nice + system + irq + softIrq + steal;
  return { busy, total: busy + idle + ioWait };
}
