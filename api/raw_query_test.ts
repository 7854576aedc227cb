import assert from "node:assert/strict";
import { rawQueryParameter } from "./raw_query.ts";

Deno.test("a parameter is decoded as a name: UTF-8, and each other byte by itself", () => {
  const cases: [string, string | undefined][] = [
    ["", undefined],
    ["?other=1", undefined],
    ["?path=", ""],
    ["?a=1&path=x%2Fy&path=z", "x/y"],
    ["?path=a+b%20c%2B", "a b c+"],
    ["?path=%C3%A9", "é"],
    ["?path=bad%FF%C3", "bad\udcff\udcc3"],
    ["?path=100%&b=2", "100%"],
    ["?path=%zz%4", "%zz%4"],
  ];
  for (const [query, expected] of cases) {
    assert.equal(rawQueryParameter(`http://host/api${query}`, "path"), expected, query);
  }
});
