import assert from "node:assert/strict";
import { clientAddress } from "./client_address.ts";

Deno.test("IPv4 counts whole, IPv6 by its /64", () => {
  const of = (hostname: string) => clientAddress({ transport: "tcp", hostname, port: 1 });
  assert.equal(of("192.0.2.7"), "192.0.2.7");
  assert.equal(of("::ffff:192.0.2.7"), "192.0.2.7");
  assert.equal(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  assert.equal(of("2001:db8:1:2::9"), of("2001:db8:1:2:ffff::"));
  assert.notEqual(of("2001:db8:1:3::9"), of("2001:db8:1:2::9"));
  assert.equal(of("2001:db8::1"), "2001:db8:0:0::/64");
  assert.equal(of("::1"), "0:0:0:0::/64");
  assert.equal(of("fe80::1%eth0"), "fe80:0:0:0::/64");
  assert.equal(clientAddress(undefined), "local");
});
