/** Closes a pool one of whose threads hangs for good; the process must end nevertheless. */
import { newGate } from "./tasks.ts";
import { startPool } from "./start_pool.ts";

const pool = startPool({ size: 2, abandonAfterMs: 100 });
const gate = newGate();
const hung = pool.job({ name: "hung" }).run("hang", { gate: gate.words });
const echoed = await pool.job({ name: "other" }).run("echo", { value: "echoed" });
while (!gate.started()) await pool.job({ name: "poll" }).run("echo", { value: null });
const [outcome] = await Promise.all([hung.catch((error) => error.name), pool.close(0)]);
await Deno.stdout.write(new TextEncoder().encode(`${echoed}, ${outcome}, ${pool.stats().abandoned} abandoned\n`));
