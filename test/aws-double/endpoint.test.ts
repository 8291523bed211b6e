import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { HeadObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type SignedRequest, verify } from "./endpoint/sigv4.ts";
import { ruleset } from "./machine/firewall.ts";
import { Double } from "./support.ts";

describe("signatures", () => {
  const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
  const find = (key: string) => (key === "AKIDEXAMPLE" ? credentials : undefined);
  /** A request as the client of the AWS SDK sends it. @param offset of the client's clock, milliseconds */
  async function sign(offset = 0): Promise<SignedRequest> {
    const sent = Promise.withResolvers<SignedRequest>();
    const server = createServer(({ method = "", url: target = "", headers }, response) => {
      sent.resolve({ method, target, headers: headers as Record<string, string>, body: Buffer.of() });
      response.end();
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const client = new S3Client({
      region: "eu-central-1",
      credentials,
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      forcePathStyle: true,
      systemClockOffset: offset,
    });
    try {
      await client.send(new HeadObjectCommand({ Bucket: "bucket", Key: "a key" })).catch(() => undefined);
      return await sent.promise;
    } finally {
      client.destroy();
      server.close();
    }
  }

  test("of the SDK's client are accepted", async () => {
    expect(verify(await sign(), find)).toEqual({
      accessKeyId: "AKIDEXAMPLE",
      region: "eu-central-1",
      service: "s3",
    });
  });

  test("of another request, with another key or of another day are refused", async () => {
    const request = await sign();
    const old = await sign(-86_400_000);
    expect(() => verify({ ...request, target: "/bucket/other" }, find)).toThrow("does not match");
    expect(() => verify({ ...request, method: "DELETE" }, find)).toThrow("does not match");
    expect(() => verify({ ...request, body: Buffer.from("x") }, find)).toThrow("not the body's hash");
    expect(() => verify(request, () => undefined)).toThrow("does not exist");
    expect(() => verify(request, () => ({ ...credentials, secretAccessKey: "x" }))).toThrow("does not match");
    expect(() => verify(request, () => ({ ...credentials, sessionToken: "t" }))).toThrow("malformed");
    expect(() => verify(old, find)).toThrow("15 minutes");
    expect(() => verify({ ...request, headers: {} }, find)).toThrow("not signed");
  });
});

describe("the firewall", () => {
  let aws: Double;
  beforeEach(async () => {
    aws = await Double.create();
  });
  afterEach(() => aws.remove());

  const network = { index: 7, bridge: "mcpe7", net4: "10.77.7", net6: "fd77:6564:6765:7" };
  const wall = { id: "i-0a", ipv4: "10.77.7.10", ipv6: ["fd77::10"], publicIp: "10.77.7.100", link: "vb-a" };

  test("accepts the packets that a rule names, and drops the others", () => {
    const text = ruleset(network, [
      {
        ...wall,
        forwards: false,
        ingress: [
          { ipProtocol: "udp", fromPort: 443, toPort: 443, cidrIpv6: "::/0" },
          { ipProtocol: "icmp", fromPort: 3, toPort: 4, cidrIpv4: "0.0.0.0/0" },
          { ipProtocol: "tcp", fromPort: 8000, toPort: 8100, cidrIpv4: "192.0.2.0/24" },
        ],
        egress: [{ ipProtocol: "-1", cidrIpv4: "198.51.100.0/24" }],
      },
    ]);
    const chain = /chain i_0a_in \{([^}]*)\}/.exec(text)?.[1]?.trim().split(/\n\s*/);
    expect(chain).toEqual([
      "ct state established,related return",
      "meta nfproto ipv6 udp dport 443 return",
      "meta nfproto ipv4 meta l4proto icmp icmp type 3 icmp code 4 return",
      "ip saddr 192.0.2.0/24 tcp dport 8000-8100 return",
      "counter drop",
    ]);
    expect(text).toContain("ip daddr 198.51.100.0/24 return");
    expect(text).toContain("ip daddr 10.77.7.100 dnat ip to 10.77.7.10");
  });
});
