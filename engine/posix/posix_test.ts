import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as posix from "./mod.ts";

function inTemporaryDirectory(work: (path: string) => void): void {
  const path = Deno.realPathSync(Deno.makeTempDirSync());
  try {
    work(path);
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
}

function withCode(code: string) {
  return (error: unknown) => posix.hasCode(error, code);
}

Deno.test("names of any bytes come back as they were", () => {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0];
  // deno-lint-ignore no-console -- a random test must say how to repeat it
  console.info(`seed ${seed}`);
  let state = seed || 1;
  const random = () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648;
  const room = new Uint8Array(1024);
  for (let round = 0; round < 5000; round++) {
    const bytes = Uint8Array.from(
      { length: Math.floor(random() * 40) },
      () => [0x61, 0xc3, 0xa9, 0xff, 0xed, 0xa0, 0x80, 0xf0, 0x9f, 0x98, 0x80, 0xe2][Math.floor(random() * 12)],
    );
    const name = posix.decodeName(bytes);
    const length = posix.encodeNameInto(name, room);
    assert.deepEqual(room.slice(0, length), bytes);
  }
});

Deno.test("a name that is not UTF-8 is shown with its bytes", () => {
  const name = posix.decodeName(Uint8Array.of(0x61, 0xff, 0x62));
  assert.equal(name, "a\udcffb");
  assert.equal(posix.displayName(name), "a\\xffb");
  assert.equal(posix.displayName("😀"), "😀");
});

Deno.test("a name longer than the room does not fit", () => {
  assert.equal(posix.encodeNameInto("abc", new Uint8Array(2)), -1);
  assert.equal(posix.encodeNameInto("a\udcffb", new Uint8Array(2)), -1);
});

Deno.test("times keep their nanoseconds, before 1970 too", () => {
  inTemporaryDirectory((path) => {
    fs.writeFileSync(`${path}/file`, "x");
    using tree = new posix.Tree(path);
    for (const [seconds, nanoseconds] of [[1_700_000_000, 123_456_789], [-86_400, 999_999_999], [0, 0]]) {
      posix.setTimesAt(tree.root, "file", seconds, nanoseconds);
      const stat = posix.statAt(tree.root, "file");
      assert.deepEqual([stat.mtime, stat.mtimeNs], [seconds, nanoseconds]);
      using listed = new posix.Tree(path);
      const listing = posix.readDirectory(listed.root, new posix.Listing());
      assert.deepEqual([listing.mtime(0), listing.mtimeNs(0)], [seconds, nanoseconds]);
    }
  });
});

Deno.test("a listing tells type, links and hard links", () => {
  inTemporaryDirectory((path) => {
    fs.mkdirSync(`${path}/directory`);
    fs.writeFileSync(`${path}/file`, "12345");
    fs.linkSync(`${path}/file`, `${path}/same`);
    fs.symlinkSync("nowhere at all", `${path}/link`);
    using tree = new posix.Tree(path);
    const listing = posix.readDirectory(tree.root, new posix.Listing());
    const at = (name: string) => listing.names.indexOf(name);
    assert.deepEqual(listing.names.toSorted(), ["directory", "file", "link", "same"]);
    assert.equal(listing.type(at("directory")), "directory");
    assert.equal(listing.type(at("link")), "symlink");
    assert.equal(listing.links.get(at("link")), "nowhere at all");
    assert.equal(listing.size(at("file")), 5);
    assert.equal(listing.hardLinks(at("file")), 2);
    assert.equal(listing.identity(at("file")), listing.identity(at("same")));
    assert.notEqual(listing.identity(at("file")), listing.identity(at("link")));
  });
});

Deno.test("a tree is never left through a link, not even one that comes later", () => {
  inTemporaryDirectory((path) => {
    fs.mkdirSync(`${path}/root/a/b`, { recursive: true });
    fs.mkdirSync(`${path}/outside/b`, { recursive: true });
    using tree = new posix.Tree(`${path}/root`);
    tree.directory("a/b");
    fs.renameSync(`${path}/root/a`, `${path}/root/old`);
    fs.symlinkSync(`${path}/outside`, `${path}/root/a`);
    tree.reset();
    assert.throws(() => tree.directory("a/b"), posix.PosixError);
    assert.throws(() => new posix.Tree(`${path}/root/a`), posix.PosixError);
  });
});

Deno.test("a tree deeper than the descriptors it keeps open, and paths longer than the kernel takes", () => {
  inTemporaryDirectory((path) => {
    using tree = new posix.Tree(path);
    const names: string[] = [];
    for (let depth = 0; depth < 150; depth++) {
      const parent = tree.directory(names.join("/"));
      names.push("directory-with-a-rather-long-name-" + depth);
      posix.makeDirectoryAt(parent, names[depth], 0o755);
    }
    assert.ok(names.join("/").length > 4096);
    const expected = posix.statOf(tree.directory(names.join("/"))).identity;
    for (const depth of [149, 20, 150, 86, 85, 1, 150, 64, 63, 150]) {
      const descriptor = tree.directory(names.slice(0, depth).join("/"));
      if (depth === 150) assert.equal(posix.statOf(descriptor).identity, expected);
      else assert.equal(posix.statAt(descriptor, names[depth]).type, "directory");
    }
    for (let depth = names.length - 1; depth >= 0; depth--) {
      const parent = tree.directory(names.slice(0, depth).join("/"));
      posix.removeDirectoryAt(parent, names[depth]);
    }
  });
});

Deno.test("errors say their code", () => {
  inTemporaryDirectory((path) => {
    using tree = new posix.Tree(path);
    assert.throws(() => posix.statAt(tree.root, "missing"), withCode("ENOENT"));
    assert.equal(posix.statIfPresent(tree.root, "missing"), undefined);
    assert.throws(() => posix.statAt(tree.root, "x".repeat(5000)), withCode("ENAMETOOLONG"));
    assert.throws(() => posix.makeDirectoryAt(tree.root, "x".repeat(300), 0o700), withCode("ENAMETOOLONG"));
    fs.writeFileSync(`${path}/a`, "");
    fs.writeFileSync(`${path}/b`, "");
    assert.throws(() => posix.renameToFree(tree.root, "a", tree.root, "b"), withCode("EEXIST"));
    posix.renameToFree(tree.root, "a", tree.root, "c");
    assert.throws(() => posix.removeDirectoryAt(tree.root, "b"), withCode("ENOTDIR"));
    assert.throws(() => posix.openAbsolute(`${path}/b`), withCode("ENOTDIR"));
  });
});

Deno.test("holes are found", () => {
  inTemporaryDirectory((path) => {
    using file = Deno.openSync(`${path}/sparse`, { write: true, create: true });
    file.truncateSync(10 << 20);
    file.seekSync(4 << 20, Deno.SeekMode.Start);
    file.writeSync(new Uint8Array(4096).fill(7));
    using tree = new posix.Tree(path);
    const descriptor = posix.openAt(tree.root, "sparse", posix.O_RDONLY);
    assert.equal(posix.seek(descriptor, 0, posix.SEEK_DATA), 4 << 20);
    assert.equal(posix.seek(descriptor, 4 << 20, posix.SEEK_HOLE), (4 << 20) + 4096);
    assert.equal(posix.seek(descriptor, 5 << 20, posix.SEEK_DATA), -1);
    assert.ok(posix.statOf(descriptor).allocated < 1 << 20);
    posix.close(descriptor);
  });
});

Deno.test("extended attributes of any name and value are set, listed, read and removed", () => {
  inTemporaryDirectory((path) => {
    fs.writeFileSync(`${path}/file`, "x");
    using tree = new posix.Tree(path);
    const file = posix.openAt(tree.root, "file", posix.O_RDONLY | posix.O_NOATIME);
    try {
      assert.deepEqual(posix.readXattrs(file), []);
      const value = Uint8Array.from({ length: 1000 }, (_, i) => i);
      posix.setXattr(file, "user.b", value);
      posix.setXattr(file, "user.\udcff", new Uint8Array(0));
      posix.setXattr(file, "user.b", value.subarray(1));
      assert.deepEqual(posix.readXattrs(file), [["user.b", value.slice(1)], ["user.\udcff", new Uint8Array(0)]]);
      posix.removeXattr(file, "user.b");
      posix.removeXattr(file, "user.b");
      assert.deepEqual(posix.listXattrs(file), ["user.\udcff"]);
      assert.throws(() => posix.setXattr(file, "nonsense", value), withCode("EOPNOTSUPP"));
    } finally {
      posix.close(file);
    }
  });
});

Deno.test("a listing has inode and change time as a single look has them", () => {
  inTemporaryDirectory((path) => {
    fs.writeFileSync(`${path}/file`, "x");
    using tree = new posix.Tree(path);
    const listing = posix.readDirectory(tree.root, new posix.Listing());
    const stat = posix.statAt(tree.root, "file");
    assert.deepEqual([listing.ctime(0), listing.ctimeNs(0)], [stat.ctime, stat.ctimeNs]);
    assert.ok(stat.identity.endsWith(`:${listing.inode(0)}`));
  });
});

Deno.test("a read buffer takes bytes at any place and never past its end", () => {
  inTemporaryDirectory((path) => {
    fs.writeFileSync(`${path}/file`, "0123456789");
    using tree = new posix.Tree(path);
    const file = posix.openAt(tree.root, "file", posix.O_RDONLY);
    const buffer = new posix.ReadBuffer(100);
    try {
      assert.equal(buffer.read(file, 90, 10, 2), 8);
      assert.equal(new TextDecoder().decode(buffer.bytes.subarray(90, 98)), "23456789");
      assert.throws(() => buffer.read(file, 91, 10, 0), RangeError);
    } finally {
      posix.close(file);
    }
  });
});
