import assert from "node:assert/strict";
import { RequestDurations } from "./request_durations.ts";

Deno.test("buckets are cumulative with inclusive bounds; sum and count agree", () => {
  const durations = new RequestDurations();
  for (const ms of [0.5, 1, 1.5, 60, 400_000]) durations.observe("GET", "/a/:id", 200, ms);
  const text = durations.text();
  const value = (name: string, le = "") => {
    const labels = `${le && `le="${le}",`}method="GET",route="/a/:id",status="200"`;
    const line = text.split("\n").find((line) =>
      line.startsWith(`syncline_http_request_duration_seconds_${name}{${labels}} `)
    );
    return Number(line?.split(" ").at(-1));
  };
  const expected = { "0.001": 2, "0.0025": 3, "0.05": 3, "0.1": 4, "300": 4, "+Inf": 5 };
  for (const [le, count] of Object.entries(expected)) assert.equal(value("bucket", le), count, le);
  assert.equal(value("count"), 5);
  assert.ok(Math.abs(value("sum") - 400.063) < 1e-9);
  assert.match(text, /^# HELP \S+ .+\n# TYPE syncline_http_request_duration_seconds histogram\n/);
});

Deno.test("series are told apart by route, method and status; methods of the client's making are one", () => {
  const durations = new RequestDurations();
  durations.observe("GET", "/a", 200, 1);
  durations.observe("GET", "/a", 404, 1);
  durations.observe("POST", "/a", 200, 1);
  durations.observe("GET", "/b", 200, 1);
  for (const method of ["BREW", "PROPFIND", "BREW"]) durations.observe(method, "/b", 405, 1);
  const counts = durations.text().split("\n").filter((line) => line.includes("_count{")).map((line) =>
    line.replace("syncline_http_request_duration_seconds_count", "")
  );
  assert.deepEqual(counts.sort(), [
    '{method="GET",route="/a",status="200"} 1',
    '{method="GET",route="/a",status="404"} 1',
    '{method="GET",route="/b",status="200"} 1',
    '{method="POST",route="/a",status="200"} 1',
    '{method="other",route="/b",status="405"} 3',
  ]);
});
