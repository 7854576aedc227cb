/** What every object store must do. Over 350 lines, because it is one list, which each store runs whole. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { inLanes } from "./in_lanes.ts";
import { compareKeys } from "./key.ts";
import { type ObjectStore, StoreError, type StoreErrorKind } from "./object_store.ts";
import { createRandom, testSeed } from "../../tests/harness/random.ts";

/** A store of a provider, empty, for one test. */
export interface Provided extends AsyncDisposable {
  store: ObjectStore;
}

const text = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value);
const PIECE = 1 << 20;
/** Bytes that are not zeros, and how far they are from each other, in a long object. */
const MARK = 100_000;
const MARK_EVERY = 64 << 20;
const ODD_KEYS = [
  "plain",
  "a/b/c",
  "a.b",
  "a-b",
  "a/b.c",
  "with space/and\ttab",
  "quotes'\"`$(x);&|*?[]{}<>~#%41+\\back",
  "line\nbreak",
  ".hidden/..double/...",
  "Zürich/größe",
  "日本語/ファイル",
  "emoji/😀",
  "last bmp/\uffee",
  "composed/\u00e9",
  "decomposed/e\u0301",
  "x".repeat(255),
  // The longest key: 1,024 bytes.
  ["d", "e", "f", "g", "h"].map((letter) => letter.repeat(204)).join("/"),
  ["日", "ü", "é", "x"].map((letter) => letter.repeat(84 * 3 / text(letter).length)).join("/") + "/123456789012",
];

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
}

async function keysOf(store: ObjectStore, prefix = ""): Promise<string[]> {
  return (await Array.fromAsync(store.list(prefix))).map((info) => info.key);
}

async function refuses(kind: StoreErrorKind, action: Promise<unknown>): Promise<void> {
  await assert.rejects(action, (error) => {
    assert(error instanceof StoreError, String(error));
    assert.equal(error.kind, kind, error.message);
    return true;
  });
}

async function write(store: ObjectStore, pieces: Uint8Array[], key?: string): Promise<void> {
  await using writer = await store.writer();
  await ReadableStream.from(pieces).pipeTo(writer.writable);
  if (key !== undefined) await writer.commit(key);
}

/**
 * What every store must do, as tests of their own.
 * @param open gives a new, empty store.
 * @param isConditional false: the service decides nothing in one step, so only a key that was there before is refused.
 * @param refused matches the odd keys that the service cannot keep as they are.
 * @param large bytes of a long object, of which few are no zeros: as many as the place can hold.
 */
export function testObjectStore(
  name: string,
  open: () => Promise<Provided>,
  { isConditional = true, refused, large }: { isConditional?: boolean; refused?: RegExp; large: number },
): void {
  const oddKeys = ODD_KEYS.filter((key) => !refused?.test(key));

  const test = (title: string, body: (store: ObjectStore) => Promise<void>) =>
    Deno.test(`${name}: ${title}`, async () => {
      await using provided = await open();
      await body(provided.store);
    });

  test("an object is read as it was put, whole, in ranges and as a stream", async (store) => {
    const bytes = createRandom(1).bytes(3_000_000);
    await store.put("a/object", bytes);
    assert.deepEqual(await store.read("a/object"), bytes);
    assert.deepEqual(await store.read("a/object", { offset: 2_999_999 }), bytes.subarray(2_999_999));
    assert.deepEqual(await store.read("a/object", { offset: 5, length: 70_000 }), bytes.subarray(5, 70_005));
    assert.deepEqual(await store.read("a/object", { length: 10 }), bytes.subarray(0, 10));
    assert.equal((await store.read("a/object", { offset: 3_000_000 })).length, 0);
    assert.equal((await store.read("a/object", { offset: 7, length: 0 })).length, 0);
    assert.deepEqual(await bytesOf(await store.get("a/object")), bytes);
    assert.deepEqual(
      await bytesOf(await store.get("a/object", { offset: 100, length: 2_000_000 })),
      bytes.subarray(100, 2_000_100),
    );
  });

  test("an empty object is one", async (store) => {
    await store.put("empty", new Uint8Array());
    assert.equal((await store.read("empty")).length, 0);
    assert.equal((await bytesOf(await store.get("empty"))).length, 0);
    assert.equal((await store.head("empty")).size, 0);
    await write(store, [], "streamed");
    assert.deepEqual(await keysOf(store), ["empty", "streamed"]);
  });

  test("a range that is not there is refused", async (store) => {
    await store.put("ten", new Uint8Array(10));
    await refuses("invalid", store.read("ten", { offset: 0, length: 11 }));
    await refuses("invalid", store.read("ten", { offset: 5, length: 6 }));
    await refuses("invalid", store.read("ten", { offset: 11 }));
    await refuses("invalid", store.get("ten", { offset: 11 }));
  });

  test("what is not there is not found, and deleting it is no error", async (store) => {
    await store.put("dir/object", text("x"));
    for (const key of ["none", "none/below", "dir/none", "dir"]) {
      await refuses("not-found", store.read(key));
      await refuses("not-found", store.get(key));
      await refuses("not-found", store.head(key));
      await store.delete(key);
    }
    assert.deepEqual(await keysOf(store), ["dir/object"]);
    assert.deepEqual(await keysOf(store, "none/"), []);
  });

  test("every call sees what resolved before it", async (store) => {
    await store.put("k", text("first"));
    const first = await store.head("k");
    assert.deepEqual(await store.read("k"), text("first"));
    await store.put("k", text("second!"));
    assert.deepEqual(await store.read("k"), text("second!"));
    const second = await store.head("k");
    assert.equal(second.size, 7);
    assert.notEqual(second.etag, first.etag);
    assert(!Number.isNaN(Date.parse(second.modified)) && second.modified.endsWith("Z"), second.modified);
    assert.deepEqual(await Array.fromAsync(store.list("")), [second]);
    await store.delete("k");
    await refuses("not-found", store.read("k"));
    assert.deepEqual(await keysOf(store), []);
    await store.put("k", text("third"));
    assert.deepEqual(await store.read("k"), text("third"));
  });

  test("a key that no store can have is refused", async (store) => {
    const keys = ["", "/a", "a/", "a//b", ".", "..", "a/./b", "a/../b", "../a", "nul\0", "x".repeat(1025)];
    for (const key of keys) {
      await refuses("invalid", store.put(key, text("x")));
      await refuses("invalid", store.read(key));
      await refuses("invalid", store.get(key));
      await refuses("invalid", store.head(key));
      await refuses("invalid", store.delete(key));
      await refuses("invalid", write(store, [text("x")], key));
    }
    assert.deepEqual(await keysOf(store), []);
  });

  test("odd keys are kept as they are, and listed in the order of their bytes", async (store) => {
    for (const key of ODD_KEYS) {
      if (oddKeys.includes(key)) await store.put(key, text(key));
      else await refuses("invalid", store.put(key, text(key)));
    }
    for (const key of oddKeys) assert.deepEqual(await store.read(key), text(key));
    const byBytes = oddKeys.map((key) => [key, Array.from(text(key), (byte) => byte.toString(16).padStart(2, "0"))])
      .sort(([, a], [, b]) => (a as string[]).join("") < (b as string[]).join("") ? -1 : 1).map(([key]) => key);
    assert.deepEqual(await keysOf(store), byBytes);
    for (const prefix of ["a", "a/", "a/b", "a/b.", "emoji/", "emoji/😀", "b", ".hidden/..", "Z"]) {
      assert.deepEqual(
        await keysOf(store, prefix),
        byBytes.filter((key) => (key as string).startsWith(prefix)),
        prefix,
      );
    }
    for (const key of oddKeys) await store.delete(key);
    assert.deepEqual(await keysOf(store), []);
  });

  test("a listing of 10,000 objects is whole and in order", async (store) => {
    const keys = Array.from({ length: 10_001 }, (_, i) => `packs/${(i * 7919 % 64).toString(16)}/${i}`);
    await inLanes(32, keys.length, undefined, (at) => store.put(keys[at], text(keys[at])));
    await store.put("packs-beside", text("beside"));
    const infos = await Array.fromAsync(store.list("packs/"));
    assert.deepEqual(infos.map((info) => info.key), keys.toSorted(compareKeys));
    assert(infos.every((info) => info.size === text(info.key).length));
  });

  test(`an object of ${large} bytes goes through in pieces`, async (store) => {
    const random = createRandom(9).bytes(MARK);
    const marks = Array.from(
      { length: Math.floor(large / MARK_EVERY) },
      (_, i) => i * MARK_EVERY + (i % 3) * (PIECE - 1),
    );
    marks.push(large - MARK);
    const zeros = new Uint8Array(PIECE);
    const expected = (at: number, size: number) => {
      const here = marks.filter((mark) => mark < at + size && mark + MARK > at);
      if (here.length === 0) return zeros.subarray(0, size);
      const piece = new Uint8Array(size);
      for (const mark of here) {
        const from = Math.max(at, mark);
        piece.set(random.subarray(from - mark, Math.min(MARK, at + size - mark)), from - at);
      }
      return piece;
    };
    const pieces = function* () {
      for (let at = 0; at < large; at += PIECE) yield expected(at, Math.min(PIECE, large - at));
    };
    await store.put("large", ReadableStream.from(pieces()));
    assert.equal((await store.head("large")).size, large);
    let arrived = 0;
    for await (const piece of await store.get("large")) {
      assert(piece.length <= 16 << 20, `a piece of ${piece.length} bytes`);
      for (let at = 0; at < piece.length; at += PIECE) {
        const part = piece.subarray(at, at + PIECE);
        assert.equal(Buffer.compare(part, expected(arrived + at, part.length)), 0, `after ${arrived + at}`);
      }
      arrived += piece.length;
    }
    assert.equal(arrived, large);
    for (const mark of marks) {
      assert(Buffer.from(await store.read("large", { offset: mark, length: MARK })).equals(random), String(mark));
    }
  });

  test("only one of many gets a key that must be free", async (store) => {
    const puts = Array.from(
      { length: isConditional ? 12 : 1 },
      (_, i) => store.put("once", text(`writer ${i}`), { ifAbsent: true }),
    );
    const outcomes = await Promise.allSettled(puts);
    const winners = outcomes.flatMap((outcome, i) => outcome.status === "fulfilled" ? [i] : []);
    assert.equal(winners.length, 1);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") assert.equal((outcome.reason as StoreError).kind, "exists");
    }
    assert.deepEqual(await store.read("once"), text(`writer ${winners[0]}`));
    await refuses("exists", store.put("once", text("later"), { ifAbsent: true }));
    await using writer = await store.writer();
    await ReadableStream.from([text("late")]).pipeTo(writer.writable);
    await refuses("exists", writer.commit("once", { ifAbsent: true }));
    assert.deepEqual(await store.read("once"), text(`writer ${winners[0]}`));
  });

  test("a writer's object is there after the commit and not before", async (store) => {
    const pieces = [createRandom(2).bytes(1), createRandom(3).bytes(1_500_000), createRandom(4).bytes(70_000)];
    const whole = await bytesOf(ReadableStream.from(pieces));
    await using writer = await store.writer();
    const sink = writer.writable.getWriter();
    for (const piece of pieces) {
      await sink.write(piece);
      piece.fill(0); // The store may keep no reference.
    }
    await sink.close();
    assert.deepEqual(await keysOf(store), []);
    await writer.commit("written/here");
    assert.deepEqual(await store.read("written/here"), whole);
    assert.deepEqual(await keysOf(store), ["written/here"]);
  });

  test("a writer without a commit leaves nothing", async (store) => {
    await write(store, [new Uint8Array(100_000)]);
    {
      await using writer = await store.writer();
      await writer.writable.getWriter().write(new Uint8Array(100_000));
    }
    {
      await using writer = await store.writer();
      await writer.writable.abort(new Error("stopped"));
    }
    assert.deepEqual(await keysOf(store), []);
    await store.removeUnfinished(new Date(Date.now() + 60_000));
    assert.deepEqual(await keysOf(store), []);
  });

  test("a put of a stream that fails leaves the old object", async (store) => {
    await store.put("k", text("old"));
    const failing = () =>
      new ReadableStream<Uint8Array>({
        pull(controller) {
          controller.enqueue(new Uint8Array(1000));
          controller.error(new Error("source failed"));
        },
      });
    await assert.rejects(store.put("k", failing()), /source failed/);
    await assert.rejects(store.put("new", failing()), /source failed/);
    assert.deepEqual(await store.read("k"), text("old"));
    assert.deepEqual(await keysOf(store), ["k"]);
    await store.put("k", ReadableStream.from([text("ne"), text("w")]));
    assert.deepEqual(await store.read("k"), text("new"));
  });

  test("an abort stops everything with its reason and leaves nothing half", async (store) => {
    await store.put("k", new Uint8Array(3_000_000));
    const reason = new Error("no more");
    const signal = AbortSignal.abort(reason);
    const is = (error: unknown) => error === reason;
    await assert.rejects(store.put("k", text("x"), { signal }), is);
    await assert.rejects(store.writer({ signal }), is);
    await assert.rejects(store.read("k", { signal }), is);
    await assert.rejects(store.get("k", { signal }), is);
    await assert.rejects(store.head("k", { signal }), is);
    await assert.rejects(Array.fromAsync(store.list("", { signal })), is);
    await assert.rejects(store.delete("k", { signal }), is);

    const later = new AbortController();
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new Uint8Array(1000));
        if (!later.signal.aborted) later.abort(reason);
      },
    });
    await assert.rejects(store.put("k", endless, { signal: later.signal }), is);

    const reading = new AbortController();
    const stream = await store.get("k", { signal: reading.signal });
    const reader = stream.getReader();
    await reader.read();
    reading.abort(reason);
    await assert.rejects(async () => {
      while (!(await reader.read()).done);
    }, is);
    assert.equal((await store.head("k")).size, 3_000_000);
    assert.deepEqual(await keysOf(store), ["k"]);
  });

  test("a stream may be left before its end", async (store) => {
    await store.put("k", new Uint8Array(3_000_000));
    for (let i = 0; i < 3; i++) {
      const stream = await store.get("k");
      if (i === 0) await stream.cancel();
      else for await (const piece of stream) if (piece.length > 0) break;
    }
    assert.equal((await store.read("k")).length, 3_000_000);
  });

  test("random calls, many at once, agree with a map", async (store) => {
    const random = createRandom(testSeed(`${name}: random calls`));
    const model = new Map<string, Uint8Array<ArrayBuffer>>();
    const keys = Array.from({ length: 12 }, (_, i) => `r/${i % 3}/${i}`);
    for (let round = 0; round < 25; round++) {
      const chosen = keys.filter(() => random.oneIn(2));
      await Promise.all(chosen.map(async (key) => {
        const bytes = random.bytes(random.below(5000));
        const action = random.below(3);
        if (action === 0) await store.delete(key);
        else if (action === 1) await store.put(key, bytes);
        else await write(store, [bytes.subarray(0, 100), bytes.subarray(100)], key);
        if (action === 0) model.delete(key);
        else model.set(key, bytes);
      }));
      assert.deepEqual(await keysOf(store, "r/"), [...model.keys()].sort(compareKeys));
      await Promise.all([...model].map(async ([key, bytes]) => {
        const offset = random.below(bytes.length + 1);
        assert.deepEqual(await store.read(key, { offset }), bytes.subarray(offset), key);
      }));
    }
  });
}
