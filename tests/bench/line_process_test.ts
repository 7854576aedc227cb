import assert from "node:assert/strict";
import { LineProcess, readLines } from "./line_process.ts";

Deno.test("readLines: lines cut anywhere, a last one without its end", async () => {
  const bytes = new TextEncoder().encode("één\n\ntwo\nthree");
  for (const size of [1, 2, 5, 100]) {
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
        controller.close();
      },
    });
    assert.deepEqual(await Array.fromAsync(readLines(stream)), ["één", "", "two", "three"]);
  }
});

Deno.test("LineProcess: answers, its log, its end", async () => {
  const stderrFile = await Deno.makeTempFile({ prefix: "syncline-line-" });
  try {
    const program = `
      console.error("to the log");
      for await (const chunk of Deno.stdin.readable) {
        const text = new TextDecoder().decode(chunk).trim();
        if (text === "end") Deno.exit(3);
        console.log("got " + text);
      }`;
    await using process = new LineProcess("The test", { args: ["eval", program], stderrFile });
    await process.send("one");
    assert.equal(await process.receive(), "got one");
    await process.send("end");
    await assert.rejects(process.receive(), /The test ended with 3/);
    assert.equal(await process.stop(), 3);
    assert.match(await Deno.readTextFile(stderrFile), /to the log/);
  } finally {
    await Deno.remove(stderrFile);
  }
});
