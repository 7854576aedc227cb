import assert from "node:assert/strict";
import { openTestState, tamper } from "./testing.ts";

const event = (number: number) => ({ id: `msg_${number}`, type: "webhook.test", payload: "{}" }) as const;

Deno.test("what is over is forgotten by age and number, what is pending never", async () => {
  await using test = await openTestState();
  const { webhooks } = test.state;
  const createdAt = new Date().toISOString();
  const subscription = { id: "s", url: "http://a/", events: [], description: "", createdAt, disabledAt: null };
  await webhooks.subscribe(subscription, "whsec_");
  for (let number = 0; number < 4; number++) await webhooks.add("s", event(number));
  const old = Date.now() - 31 * 24 * 3_600_000;
  tamper(test.dataDir, (database) => {
    database.prepare("UPDATE webhook_events SET created_at = ?").run(old);
    database.exec(
      "UPDATE webhook_deliveries SET status = 'delivered', next_attempt_at = NULL WHERE event_id = 'msg_1'",
    );
    // As many as are kept, all newer than the four.
    const add = database.prepare("INSERT INTO webhook_events VALUES (?, 'webhook.test', '{}', ?)");
    database.exec("BEGIN");
    for (let number = 0; number < 10_000; number++) add.run(`filler_${number}`, old + 1);
    database.exec("COMMIT");
  });
  const left = () =>
    webhooks.deliveries({ subscriptionId: "s", limit: 100 }).map(({ eventId }) => eventId).filter((id) =>
      id !== "msg_9"
    );
  await webhooks.add("s", event(9));
  assert.deepEqual(left(), ["msg_3", "msg_2", "msg_0"]);
  assert.equal(webhooks.due("s", Date.now(), 100).length, 4);
});
