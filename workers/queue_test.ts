import assert from "node:assert/strict";
import { FairQueue, Lane } from "./queue.ts";
import type { Priority } from "./types.ts";

function filled(lanes: [Priority, string[]][]): { queue: FairQueue<string>; lanes: Lane<string>[] } {
  const queue = new FairQueue<string>();
  const all = lanes.map(([priority, items]) => {
    const lane = new Lane<string>(priority);
    for (const item of items) queue.push(lane, item);
    return lane;
  });
  return { queue, lanes: all };
}

function drain(queue: FairQueue<string>): string {
  const taken: string[] = [];
  for (let item = queue.next(); item !== undefined; item = queue.next()) taken.push(item);
  return taken.join(" ");
}

Deno.test("FairQueue keeps the order within a lane", () => {
  const { queue } = filled([["bulk", ["a1", "a2", "a3"]]]);
  assert.equal(drain(queue), "a1 a2 a3");
  assert.equal(queue.next(), undefined);
});

Deno.test("FairQueue serves the lanes of a priority in turn", () => {
  const { queue } = filled([["bulk", ["a1", "a2", "a3", "a4"]], ["bulk", ["b1"]], ["bulk", ["c1", "c2"]]]);
  assert.equal(drain(queue), "a1 b1 c1 a2 c2 a3 a4");
});

Deno.test("FairQueue lets a lane that was served wait behind one that is new", () => {
  const { queue } = filled([["bulk", ["a1", "a2", "a3"]]]);
  assert.equal(queue.next(), "a1");
  const late = new Lane<string>("bulk");
  queue.push(late, "b1");
  queue.push(late, "b2");
  assert.equal(drain(queue), "a2 b1 a3 b2");
});

Deno.test("FairQueue takes interactive items first", () => {
  const { queue } = filled([["bulk", ["a1", "a2"]], ["interactive", ["x1", "x2"]], ["interactive", ["y1"]]]);
  assert.equal(drain(queue), "x1 y1 x2 a1 a2");
});

Deno.test("FairQueue removes an item wherever it stands", () => {
  const { queue, lanes: [a, b] } = filled([["bulk", ["a1", "a2", "a3"]], ["bulk", ["b1"]]]);
  assert.equal(queue.remove(a, "a2"), true);
  assert.equal(queue.remove(a, "a2"), false);
  assert.equal(queue.remove(b, "b1"), true);
  assert.equal(queue.size, 2);
  assert.deepEqual([...queue], ["a1", "a3"]);
  assert.equal(drain(queue), "a1 a3");
  assert.equal(queue.size, 0);
});
