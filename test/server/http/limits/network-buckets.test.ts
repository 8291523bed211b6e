import { expect, test } from "@jest/globals";
import { MemoryBuckets } from "../../../../server/http/limits/buckets.ts";
import { takeForNetwork } from "../../../../server/http/limits/network-buckets.ts";
import { networkOf } from "../../../../server/http/network.ts";

test("many IPv6 networks of one site together have a limit, and others have their own", async () => {
  const buckets = new MemoryBuckets({ now: () => 0 });
  const take = (address: string) =>
    takeForNetwork(buckets, {
      purpose: "register:",
      client: networkOf(address),
      capacity: 2,
      perSecond: 1,
    });
  for (let n = 0; n < 32; n++)
    expect(await take(`2001:db8:1:${n.toString(16)}::1`)).toMatchObject({ allowed: true });
  expect(await take("2001:db8:1:ff::1")).toMatchObject({ allowed: false, site: true, perSecond: 16 });
  expect(await take("2001:db8:2:1::1")).toMatchObject({ allowed: true });
  for (const allowed of [true, true, false])
    expect(await take("192.0.2.1")).toMatchObject({ allowed, site: false });
});
