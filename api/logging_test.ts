import assert from "node:assert/strict";
import { createLogger, type LogSink } from "./logging.ts";

function memorySink(): LogSink & { text: string } {
  return {
    text: "",
    write(bytes) {
      // As little at once as a pipe may take.
      const part = bytes.subarray(0, 7);
      this.text += new TextDecoder("latin1").decode(part);
      return Promise.resolve(part.length);
    },
  };
}

Deno.test("lines are JSON, at the level or above, in order, also where writes are partial", async () => {
  const sink = memorySink();
  const logger = createLogger({ level: "warn", sink });
  logger.info("not shown");
  logger.request("info", { requestId: "r", method: "GET", path: "/", status: 200, ms: 1, keyId: undefined });
  logger.warn("first", { count: 1 });
  logger.error("second\nline", { error: new Error("why") });
  await logger.flush();
  const lines = sink.text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ level, message }) => [level, message]), [["warn", "first"], ["error", "second\nline"]]);
  assert.equal(lines[0].count, 1);
  assert.equal(lines[1].error.message, "why");
});

Deno.test("secrets are hidden by name and by form", async () => {
  const sink = memorySink();
  const logger = createLogger({ level: "info", sink });
  const token = `syncline_${"A1-_".repeat(10)}`;
  logger.info(`used ${token}`, {
    authorization: "abc-1",
    nested: { apiToken: "abc-2", list: [{ password: "abc-3" }] },
    url: "postgres://user:abc-4@host/db",
    form: "Server=a;Password=abc-5;",
    header: "Bearer abc-6",
    error: new Error(`cannot use ${token}`),
    plain: "kept",
  });
  logger.request("info", { requestId: "r", method: "GET", path: `/x/${token}/"\n`, status: 404, ms: 0.5, keyId: "k" });
  await logger.flush();
  assert.doesNotMatch(sink.text, /abc-\d|A1-_/);
  const [first, second] = sink.text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.equal(first.plain, "kept");
  assert.deepEqual([second.path, second.status, second.keyId], ['/x/[hidden]/"\n', 404, "k"]);
});

Deno.test("a reader that stays behind costs lines, which are counted, and no memory", async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let text = "";
  const sink: LogSink = {
    async write(bytes) {
      await released;
      text += new TextDecoder().decode(bytes);
      return bytes.length;
    },
  };
  const logger = createLogger({ level: "info", sink });
  for (let index = 0; index < 100; index++) logger.info("x".repeat(100_000));
  release();
  await logger.flush();
  const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.ok(lines.length < 60, `${lines.length} lines were kept`);
  assert.equal(lines.at(-1).dropped, 100 - (lines.length - 1));
});
