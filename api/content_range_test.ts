import assert from "node:assert/strict";
import { type ConditionalHeaders, selectContent, type Selection } from "./content_range.ts";

const ETAG = '"abc"';
const none: ConditionalHeaders = { range: undefined, ifRange: undefined, ifNoneMatch: undefined };

Deno.test("ranges select bytes, and what is no range selects all", () => {
  const cases: [string, number, Selection][] = [
    ["bytes=0-0", 10, { status: 206, offset: 0, length: 1 }],
    ["bytes=2-4", 10, { status: 206, offset: 2, length: 3 }],
    ["bytes=2-", 10, { status: 206, offset: 2, length: 8 }],
    ["bytes=9-100", 10, { status: 206, offset: 9, length: 1 }],
    ["bytes=-3", 10, { status: 206, offset: 7, length: 3 }],
    ["bytes=-30", 10, { status: 206, offset: 0, length: 10 }],
    ["BYTES=1-2", 10, { status: 206, offset: 1, length: 2 }],
    ["bytes=10-", 10, { status: 416 }],
    ["bytes=99999999999999999999-", 10, { status: 416 }],
    ["bytes=-0", 10, { status: 416 }],
    ["bytes=0-", 0, { status: 416 }],
    ["bytes=-5", 0, { status: 416 }],
    ["bytes=4-2", 10, { status: 200 }],
    ["bytes=-", 10, { status: 200 }],
    ["bytes=0-1,3-4", 10, { status: 200 }],
    ["lines=0-1", 10, { status: 200 }],
    ["bytes=a-b", 10, { status: 200 }],
  ];
  for (const [range, size, expected] of cases) {
    assert.deepEqual(selectContent({ ...none, range }, ETAG, size), expected, range);
  }
  assert.deepEqual(selectContent(none, ETAG, 10), { status: 200 });
});

Deno.test("conditions: If-None-Match comes first, If-Range must be the very tag", () => {
  const range = "bytes=1-2";
  const part = { status: 206, offset: 1, length: 2 };
  for (const ifNoneMatch of [ETAG, "*", `"x", ${ETAG}`, `W/${ETAG}`]) {
    assert.deepEqual(selectContent({ ...none, range, ifNoneMatch }, ETAG, 10), { status: 304 }, ifNoneMatch);
  }
  for (const ifNoneMatch of ['"x"', "abc", ""]) {
    assert.deepEqual(selectContent({ ...none, range, ifNoneMatch }, ETAG, 10), part, ifNoneMatch);
  }
  assert.deepEqual(selectContent({ ...none, range, ifRange: ETAG }, ETAG, 10), part);
  for (const ifRange of ['"x"', `W/${ETAG}`, "Wed, 21 Oct 2015 07:28:00 GMT"]) {
    assert.deepEqual(selectContent({ ...none, range, ifRange }, ETAG, 10), { status: 200 }, ifRange);
  }
});
