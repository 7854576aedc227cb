import assert from "node:assert/strict";
import { fromWire, toWire } from "./wire_error.ts";

const sent = (thrown: unknown) => fromWire(structuredClone(toWire(thrown)));

Deno.test("an error keeps its name, message, stack, primitive properties and causes", () => {
  class OddError extends Error {
    override readonly name = "OddError";
    readonly kind = "conflict";
    readonly details = "the path";
    readonly big = 12n;
    readonly nothing = null;
    readonly deep = { dropped: true };
    readonly method = () => "dropped";
  }
  const cause = Object.assign(new RangeError("inner"), { code: "EINNER" });
  const original = new OddError("outer", { cause });
  const error = sent(original);
  assert.equal(error.name, "OddError");
  assert.equal(error.message, "outer");
  assert.equal(error.stack, original.stack);
  assert.deepEqual({ ...error }, { kind: "conflict", details: "the path", big: 12n, nothing: null });
  assert.ok(error.cause instanceof RangeError);
  assert.deepEqual({ ...error.cause }, { code: "EINNER" });
});

Deno.test("an error of the language's own keeps its class, others are told apart by name", () => {
  assert.ok(sent(new TypeError("x")) instanceof TypeError);
  assert.equal(sent(new DOMException("stop", "AbortError")).name, "AbortError");
  assert.equal(sent(new Deno.errors.NotFound("gone")).name, "NotFound");
});

Deno.test("what is no error becomes one that says what it was", () => {
  assert.match(sent("text").message, /text/);
  assert.match(sent(undefined).message, /undefined/);
  assert.match(sent(Symbol("s")).message, /Symbol\(s\)/);
  assert.match(sent({ some: "object" }).message, /\[object Object\]/);
});

Deno.test("a ring of causes comes to an end", () => {
  const error = new Error("ring");
  error.cause = error;
  let depth = 0;
  for (let each: unknown = sent(error); each instanceof Error; each = each.cause) depth++;
  assert.equal(depth, 9);
});

Deno.test("a property that throws when it is read is left out", () => {
  const error = new Error("x");
  Object.defineProperty(error, "bad", { enumerable: true, get: () => assert.fail("it was read") });
  assert.deepEqual({ ...sent(error) }, {});
});
