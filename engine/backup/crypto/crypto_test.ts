/** Known answers of the cryptography, and that nothing that was sealed can be changed. */
import assert from "node:assert/strict";
import { createHmac, hkdfSync } from "node:crypto";
import { createRandom, testSeed } from "../../../tests/harness/random.ts";
import { EngineError } from "../../errors.ts";
import type { KeyAccess } from "../repository/access.ts";
import { chunkId } from "./chunk_id.ts";
import { decrypt, encrypt, objectKey, packKey, TABLE_NONCE } from "./cipher.ts";
import { deriveKey, type KeyPurpose } from "./derived_key.ts";
import { passwordKey } from "./password_key.ts";
import { seal, type SealMagic, unseal } from "./sealed.ts";

const text = (value: string) => new TextEncoder().encode(value);
const hex = (value: string) => Uint8Array.fromHex(value.replaceAll(/\s/g, ""));
const range = (first: number, length: number) => Uint8Array.from({ length }, (_, i) => first + i);
const PLAIN: KeyAccess = { encrypted: false, masterKey: null };
const ENCRYPTED: KeyAccess = { encrypted: true, masterKey: range(1, 32) };
const EMPTY = new Uint8Array(0);

function throwsDamaged(action: () => unknown, what: string): void {
  assert.throws(action, (error) => error instanceof EngineError && error.kind === "damaged", what);
}

Deno.test("ChaCha20-Poly1305: RFC 8439, section 2.8.2", () => {
  const plain = text(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  );
  const sealed = encrypt(range(0x80, 32), hex("07000000 4041424344454647"), plain, hex("50515253c0c1c2c3c4c5c6c7"));
  assert.equal(
    sealed.toHex(),
    "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e06" +
      "0b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586" +
      "cec64b61161ae10b594f09e26a7e902ecbd0600691",
  );
});

Deno.test("HKDF: RFC 5869, A.1 and A.3", () => {
  const material = new Uint8Array(22).fill(0x0b);
  const first = new Uint8Array(hkdfSync("sha256", material, range(0, 13), range(0xf0, 10), 42));
  assert.equal(
    first.toHex(),
    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
  );
  const third = deriveKey(material, EMPTY, "" as KeyPurpose);
  assert.equal(third.toHex(), "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
});

Deno.test("scrypt: RFC 7914, section 12, off this thread", async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const one = await passwordKey("password", { n: 1024, r: 8, p: 16, salt: text("NaCl") });
  const two = await passwordKey("pleaseletmein", { n: 16384, r: 8, p: 1, salt: text("SodiumChloride") });
  clearInterval(timer);
  assert.equal(one.toHex(), "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162");
  assert.equal(two.toHex(), "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2");
  assert.ok(turns > 0, "the event loop went on");
});

Deno.test("scrypt with parameters that it refuses fails each time it is asked", async () => {
  const ask = () => passwordKey("p", { n: 3, r: 8, p: 1, salt: EMPTY });
  await assert.rejects(ask());
  await assert.rejects(ask());
});

Deno.test("chunk ids: SHA-256 of FIPS 180-4, HMAC-SHA-256 under a derived key", () => {
  const abc = chunkId(PLAIN, text("abc"));
  assert.equal(abc.toHex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // RFC 4231, test case 2: that the reference below is one.
  const reference = createHmac("sha256", "Jefe").update("what do ya want for nothing?").digest("hex");
  assert.equal(reference, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  const key = deriveKey(ENCRYPTED.masterKey!, EMPTY, "syncline chunk id 1");
  for (const length of [0, 1, 55, 56, 63, 64, 65, 1000, 100_000]) {
    const bytes = createRandom(length).bytes(length);
    const expected = createHmac("sha256", key).update(bytes).digest("hex");
    assert.equal(chunkId(ENCRYPTED, bytes).toHex(), expected, `${length} bytes`);
    assert.equal(chunkId(structuredClone(ENCRYPTED), bytes).toHex(), expected);
  }
});

Deno.test("golden keys and sealed objects of format 1", () => {
  const salt = range(100, 32);
  const key = ENCRYPTED.masterKey!;
  assert.equal(packKey(key, salt).toHex(), "b2551aba177cb9fe26c86db9a9e4c4b058800981516c9fbf75106537385e2970");
  assert.equal(objectKey(key, salt).toHex(), "4ca824842c92a22acaf276fc407323f835b79c876c52c69665bb84e1b505991a");
  assert.equal(
    chunkId(ENCRYPTED, text("abc")).toHex(),
    "aefbc8f13a0976e678796254b03e8db4b112a67de1c79d6420bc963673f78f23",
  );
  assert.equal(encrypt(packKey(key, salt), 258, text("frame")).toHex(), "1268f83d34e502b262bb69658eb58a676160118a9d");
  assert.equal(
    encrypt(packKey(key, salt), TABLE_NONCE, text("table")).toHex(),
    "0c4926fa1c5337edc840e3fc905c9608c0955156c1",
  );
  assert.equal(
    seal(PLAIN, "SLVERSN1", "versions/v", text("{}")).toHex(),
    "534c564552534e31007b7da0e064cc0c05fcff304b7440d5df4b6c0a52b3a26114491acc110ea811bdcc75",
  );
  assert.equal(
    new TextDecoder().decode(
      unseal(
        ENCRYPTED,
        "SLVERSN1",
        "versions/v",
        hex(
          "534c564552534e3101452f90e90537bb436aa56b418d969c3af337ebf42ffd916bdb770124b335b7dc739531a19f6e9d981d77d46535a97dced8a6",
        ),
      ),
    ),
    "{}",
  );
});

Deno.test("the key of each pack and each object is its own", () => {
  const random = createRandom(testSeed("derived keys"));
  const salts = Array.from({ length: 100 }, () => random.bytes(32));
  const keys = salts.flatMap((salt) => [packKey(ENCRYPTED.masterKey!, salt), objectKey(ENCRYPTED.masterKey!, salt)]);
  assert.equal(new Set(keys.map((key) => key.toHex())).size, 200);
});

Deno.test("frames open as they were, and under their own key, nonce and additional data only", () => {
  const random = createRandom(testSeed("frames"));
  const key = random.bytes(32);
  for (const length of [0, 1, 15, 16, 17, 1000, 1 << 20]) {
    const plain = random.bytes(length);
    const sealed = encrypt(key, 3, plain, text("header"));
    assert.equal(sealed.length, length + 16);
    assert.deepEqual(new Uint8Array(decrypt(key, 3, sealed, text("header"), "frame")), plain);
    throwsDamaged(() => decrypt(key, 4, sealed, text("header"), "frame"), "nonce");
    throwsDamaged(() => decrypt(key, 3, sealed, text("Header"), "frame"), "additional data");
    throwsDamaged(() => decrypt(key, 3, sealed, EMPTY, "frame"), "no additional data");
    throwsDamaged(() => decrypt(random.bytes(32), 3, sealed, text("header"), "frame"), "key");
    throwsDamaged(() => decrypt(key, 3, sealed.subarray(1), text("header"), "frame"), "cut");
    throwsDamaged(() => decrypt(key, 3, sealed.subarray(0, -1), text("header"), "frame"), "cut");
  }
});

for (const access of [PLAIN, ENCRYPTED]) {
  Deno.test(`sealed objects cannot be changed, ${access.encrypted ? "encrypted" : "plain"}`, () => {
    const payload = text("some payload");
    const object = seal(access, "SLLEASE1", "leases/a", payload);
    const open = (bytes: Uint8Array, magic: SealMagic = "SLLEASE1", key = "leases/a") =>
      new Uint8Array(unseal(access, magic, key, bytes));
    assert.deepEqual(open(object), payload);
    assert.deepEqual(open(seal(access, "SLLEASE1", "leases/a", EMPTY)), EMPTY);
    for (let at = 0; at < object.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = object.slice();
        changed[at] ^= 1 << bit;
        throwsDamaged(() => open(changed), `bit ${bit} of byte ${at}`);
      }
      throwsDamaged(() => open(object.subarray(0, at)), `cut to ${at} bytes`);
    }
    throwsDamaged(() => open(Uint8Array.from([...object, 0])), "lengthened");
    throwsDamaged(() => open(object, "SLLEASE1", "leases/b"), "renamed");
    throwsDamaged(() => open(object, "SLVERSN1"), "of another kind");
    const other = access.encrypted ? { encrypted: true, masterKey: range(2, 32) } : ENCRYPTED;
    throwsDamaged(() => unseal(other, "SLLEASE1", "leases/a", object), "of another repository");
  });
}

Deno.test("an encrypted repository takes no plain object, however right its checksum", () => {
  const object = seal(PLAIN, "SLVERSN1", "versions/v", text("{}"));
  assert.throws(() => unseal(ENCRYPTED, "SLVERSN1", "versions/v", object), { details: /versions\/v: mode 0/ });
});

Deno.test("equal payloads are sealed differently", () => {
  const one = seal(ENCRYPTED, "SLINDEX1", "", text("x"));
  assert.notDeepEqual(seal(ENCRYPTED, "SLINDEX1", "", text("x")), one);
});
