import assert from "node:assert/strict";
import { AllowList, isAllowEntry, isPublicAddress } from "./address.ts";

Deno.test("what is public, and what is not", () => {
  const isPublic = [
    "8.8.8.8",
    "1.1.1.1",
    "172.15.255.255",
    "172.32.0.0",
    "100.63.0.1",
    "2606:4700::1111",
    "2a00:1450::8",
  ];
  const isNot = [
    ...[
      "0.0.0.0",
      "10.1.2.3",
      "100.64.0.1",
      "127.0.0.1",
      "127.255.255.254",
      "169.254.169.254",
      "172.16.0.1",
      "172.31.9.9",
    ],
    ...["192.0.0.1", "192.168.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"],
    ...[
      "::",
      "::1",
      "::ffff:127.0.0.1",
      "::ffff:8.8.8.8",
      "64:ff9b::7f00:1",
      "fc00::1",
      "fd12::1",
      "fe80::1",
      "ff02::1",
    ],
    ...["2001:db8::1", "2002:7f00:1::", "2001:0:1::", "3fff::1", "100::1", "no address", ""],
  ];
  for (const address of isPublic) assert.ok(isPublicAddress(address), address);
  for (const address of isNot) assert.ok(!isPublicAddress(address), address);
});

Deno.test("an allow list names hosts, addresses and networks", () => {
  const allow = new AllowList(["hooks.internal", "10.0.0.0/8", "192.168.1.7", "fd00::/8", "::1"]);
  assert.ok(allow.hasHost("Hooks.Internal") && !allow.hasHost("other.internal") && !allow.hasHost("10.0.0.1"));
  for (const address of ["10.255.0.1", "192.168.1.7", "fd00::1", "::1"]) assert.ok(allow.hasAddress(address), address);
  for (const address of ["11.0.0.1", "192.168.1.8", "fe80::1", "::2"]) assert.ok(!allow.hasAddress(address), address);
  for (const entry of ["localhost", "a.b-c.d", "127.0.0.1", "::1", "10.0.0.0/8", "fd00::/128"]) {
    assert.ok(isAllowEntry(entry));
  }
  for (const entry of ["", "a b", "http://a", "10.0.0.0/33", "10.0.0.0/8/8", "::/129", "1.2.3", "-a", "10.0.0.0/x"]) {
    assert.ok(!isAllowEntry(entry), entry);
  }
});
