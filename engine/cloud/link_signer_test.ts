import assert from "node:assert/strict";
import { LinkSigner } from "./link_signer.ts";

Deno.test("links hold over a restart, for their object and their time only", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const file = `${directory}/key`;
    // The process died while it wrote the key.
    await Deno.writeFile(`${file}.new`, new Uint8Array(7));
    const first = await LinkSigner.open(file);
    const expires = Math.floor(Date.now() / 1000) + 60;
    const signature = first.sign("a/b", expires);
    const second = await LinkSigner.open(file);
    assert(second.verify("a/b", expires, signature));
    assert(!second.verify("a/c", expires, signature));
    assert(!second.verify("a/b", expires + 1, signature));
    assert(!second.verify("a/b", expires, `${signature}A`));
    assert(!second.verify("a/b", expires, ""));
    assert(!second.verify("a/b", 1, second.sign("a/b", 1)));
    assert(!second.verify("a/b", NaN, second.sign("a/b", NaN)));
    assert.equal(((await Deno.stat(file)).mode as number) & 0o777, 0o600);
    assert.deepEqual((await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name), ["key"]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
