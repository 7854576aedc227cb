import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import {
  ChangedWhileCopied,
  type CopyOptions,
  copyPart,
  copyToTemporary,
  type PartialCopy,
  PathFailure,
  VerificationFailed,
} from "./copy.ts";
import { hasCode, Tree } from "../posix/mod.ts";

const MIB = 1 << 20;

interface Place {
  path: string;
  from: Tree;
  to: Tree;
}

function inPlace(work: (place: Place) => void): void {
  const path = Deno.realPathSync(Deno.makeTempDirSync());
  fs.mkdirSync(`${path}/from`);
  fs.mkdirSync(`${path}/to`);
  try {
    using from = new Tree(`${path}/from`);
    using to = new Tree(`${path}/to`);
    work({ path, from, to });
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
}

function options(part: Partial<CopyOptions> = {}): CopyOptions {
  return {
    verify: false,
    hash: false,
    preservePermissions: true,
    owners: false,
    piece: Infinity,
    beforePiece: () => {},
    afterPiece: () => {},
    ...part,
  };
}

function copy({ from, to }: Place, part: Partial<CopyOptions> = {}) {
  return copyToTemporary(from.root, "file", to.root, "copy", options(part));
}

function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, Math.min(length, at + 65_536)));
  return bytes;
}

Deno.test("sizes around a block, a piece and the direct limit, with and without verification", () => {
  inPlace((place) => {
    for (const size of [0, 1, 4095, 4096, 4097, MIB - 1, MIB, MIB + 1, 8 * MIB, 8 * MIB + 1, 17 * MIB + 4095]) {
      const bytes = noise(size);
      fs.writeFileSync(`${place.path}/from/file`, bytes, { mode: 0o640 });
      fs.utimesSync(`${place.path}/from/file`, 1, 1_234_567_890.25);
      for (const verify of [false, true]) {
        let seen = 0;
        copy(place, { verify, afterPiece: (count) => seen += count });
        assert.equal(Buffer.compare(fs.readFileSync(`${place.path}/to/copy`), bytes), 0, `${size} bytes`);
        const stat = fs.statSync(`${place.path}/to/copy`);
        assert.deepEqual([stat.mode & 0o7777, stat.mtimeMs], [0o640, 1_234_567_890_250]);
        assert.equal(seen, size);
        fs.unlinkSync(`${place.path}/to/copy`);
      }
    }
  });
});

Deno.test("holes stay holes", () => {
  inPlace((place) => {
    using file = Deno.openSync(`${place.path}/from/file`, { write: true, create: true });
    file.truncateSync(64 * MIB + 17);
    for (const at of [3 * MIB, 40 * MIB + 5, 64 * MIB]) {
      file.seekSync(at, Deno.SeekMode.Start);
      file.writeSync(noise(10));
    }
    for (const verify of [false, true]) {
      const { bytes } = copy(place, { verify });
      assert.ok(bytes >= 30 && bytes < MIB, `${bytes} bytes of data`);
      const stat = fs.statSync(`${place.path}/to/copy`);
      assert.equal(stat.size, 64 * MIB + 17);
      assert.ok(stat.blocks * 512 < MIB, `${stat.blocks} blocks`);
      const [a, b] = ["from/file", "to/copy"].map((name) => fs.readFileSync(`${place.path}/${name}`));
      assert.equal(Buffer.compare(a, b), 0);
      fs.unlinkSync(`${place.path}/to/copy`);
    }
  });
});

Deno.test("a copy is hashed where that is asked for, unless it is large and has holes, or comes in parts", () => {
  inPlace((place) => {
    const path = `${place.path}/from/file`;
    for (const size of [0, 1, 50_000, 4 * MIB]) {
      const bytes = noise(size);
      fs.writeFileSync(path, bytes);
      for (const piece of [4096, MIB]) {
        const { hash } = copy(place, { hash: true, piece });
        assert.deepEqual(hash && [...hash], [...createHash("sha256").update(bytes).digest()], `${size} ${piece}`);
        fs.unlinkSync(`${place.path}/to/copy`);
      }
      assert.equal(copy(place, { hash: false }).hash, undefined);
      fs.unlinkSync(`${place.path}/to/copy`);
    }
    for (const [size, isRead] of [[MIB, true], [4 * MIB + 4096, false]] as const) {
      fs.writeFileSync(path, noise(8192));
      fs.truncateSync(path, size);
      const file = fs.openSync(path, "r+");
      fs.writeSync(file, noise(4096), 0, 4096, size - 8192);
      fs.closeSync(file);
      const { hash } = copy(place, { hash: true });
      const expected = createHash("sha256").update(fs.readFileSync(path)).digest();
      assert.deepEqual(hash && [...hash], isRead ? [...expected] : undefined);
      fs.unlinkSync(`${place.path}/to/copy`);
    }
    fs.writeFileSync(path, noise(40_000));
    const part = copyPart(
      place.from.root,
      "file",
      place.to.root,
      "copy",
      options({ hash: true }),
      undefined,
      undefined,
      16_384,
    );
    assert.ok("offset" in part && !("hash" in part));
    fs.unlinkSync(`${place.path}/to/copy`);
  });
});

Deno.test("a copy in parts is the same, holes and all", () => {
  inPlace((place) => {
    const path = `${place.path}/from/file`;
    for (const size of [0, 1, 5 * MIB, 5 * MIB + 1]) {
      for (const sparse of [false, true]) {
        fs.writeFileSync(path, sparse ? "" : noise(size));
        fs.truncateSync(path, size);
        const file = fs.openSync(path, "r+");
        for (const at of [MIB, 3 * MIB + 5]) if (at < size) fs.writeSync(file, noise(200_000), 0, 200_000, at);
        fs.closeSync(file);
        for (const verify of [false, true]) {
          const whole = copy(place, { verify });
          fs.unlinkSync(`${place.path}/to/copy`);
          let part: PartialCopy | undefined;
          for (let parts = 1;; parts++) {
            const { from, to } = place;
            const done = copyPart(from.root, "file", to.root, "copy", options({ verify }), undefined, part, 16_384);
            if (!("offset" in done)) {
              assert.deepEqual({ ...done, made: whole.made }, whole);
              assert.ok(parts >= whole.bytes / 16_384);
              break;
            }
            part = structuredClone(done);
          }
          const [a, b] = ["from/file", "to/copy"].map((name) => fs.readFileSync(`${place.path}/${name}`));
          assert.equal(Buffer.compare(a, b), 0, `${size} ${sparse} ${verify}`);
          fs.unlinkSync(`${place.path}/to/copy`);
        }
      }
    }
  });
});

Deno.test("a file that changes once is copied again, one that never rests is reported", () => {
  inPlace((place) => {
    const path = `${place.path}/from/file`;
    fs.writeFileSync(path, noise(20 * MIB));
    let left = 1;
    copy(place, { verify: true, beforePiece: () => left-- > 0 && fs.appendFileSync(path, "more") });
    assert.equal(Buffer.compare(fs.readFileSync(path), fs.readFileSync(`${place.path}/to/copy`)), 0);
    fs.unlinkSync(`${place.path}/to/copy`);
    for (const change of [() => fs.appendFileSync(path, "x"), () => fs.truncateSync(path, 9 * MIB)]) {
      assert.throws(() => copy(place, { verify: true, beforePiece: change }), ChangedWhileCopied);
      assert.deepEqual(fs.readdirSync(`${place.path}/to`), []);
    }
  });
});

Deno.test("what was damaged on the way is written again, and reported where that does not help", () => {
  for (const size of [100_000, 20 * MIB]) {
    inPlace((place) => {
      fs.writeFileSync(`${place.path}/from/file`, noise(size));
      const damage = () => {
        const file = fs.openSync(`${place.path}/to/copy`, "r+");
        fs.writeSync(file, "DAMAGED", 5000);
        fs.closeSync(file);
      };
      let left = 1;
      copy(place, { verify: true, afterPiece: () => left-- > 0 && damage() });
      const [a, b] = ["from/file", "to/copy"].map((name) => fs.readFileSync(`${place.path}/${name}`));
      assert.equal(Buffer.compare(a, b), 0);
      fs.unlinkSync(`${place.path}/to/copy`);
      assert.throws(() => copy(place, { verify: true, afterPiece: damage }), VerificationFailed);
      assert.deepEqual(fs.readdirSync(`${place.path}/to`), []);
    });
  }
});

Deno.test({
  name: "set-user-ID and set-group-ID bits come with their owner or not at all",
  ignore: Deno.uid() !== 0,
  fn: () =>
    inPlace((place) => {
      const path = `${place.path}/from/file`;
      fs.writeFileSync(path, "program");
      const cases: [uid: number, gid: number, owners: boolean, mode: number][] = [
        [1234, 1234, false, 0o755],
        [0, 1234, false, 0o755],
        [0, 0, false, 0o6755],
        [1234, 1234, true, 0o6755],
      ];
      for (const [uid, gid, owners, mode] of cases) {
        fs.chownSync(path, uid, gid);
        fs.chmodSync(path, 0o6755);
        copy(place, { owners });
        const stat = fs.statSync(`${place.path}/to/copy`);
        assert.deepEqual([stat.mode & 0o7777, stat.uid], [mode, owners ? uid : 0], `${uid} ${gid} ${owners}`);
        fs.unlinkSync(`${place.path}/to/copy`);
      }
    }),
});

Deno.test("a cancelled copy leaves nothing", () => {
  inPlace((place) => {
    fs.writeFileSync(`${place.path}/from/file`, noise(20 * MIB));
    const cancel = () => {
      throw new DOMException("cancelled", "AbortError");
    };
    assert.throws(() => copy(place, { afterPiece: cancel }), { name: "AbortError" });
    assert.deepEqual(fs.readdirSync(`${place.path}/to`), []);
  });
});

Deno.test("links, FIFOs and missing files in the file's place", () => {
  inPlace((place) => {
    fs.writeFileSync(`${place.path}/secret`, "secret");
    fs.symlinkSync("../secret", `${place.path}/from/file`);
    assert.throws(() => copy(place), PathFailure);
    fs.unlinkSync(`${place.path}/from/file`);
    assert.throws(() => copy(place), /disappeared/);
    fs.mkdirSync(`${place.path}/from/file`);
    assert.throws(() => copy(place), /no longer a regular file/);
    assert.deepEqual(fs.readdirSync(`${place.path}/to`), []);
  });
});

Deno.test("a taken temporary name is not written into", () => {
  inPlace((place) => {
    fs.writeFileSync(`${place.path}/from/file`, "new");
    fs.writeFileSync(`${place.path}/to/copy`, "old");
    assert.throws(() => copy(place), (error) => hasCode(error, "EEXIST"));
    assert.equal(fs.readFileSync(`${place.path}/to/copy`, "utf8"), "old");
  });
});
