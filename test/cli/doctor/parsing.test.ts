import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { parseAltSvc } from "../../../cli/doctor/checks/http/alt-svc.ts";
import { lifetimeLeft } from "../../../cli/doctor/checks/network/certificate.ts";
import { probePacket, versionsOf } from "../../../cli/doctor/clients/quic-probe.ts";
import { explain } from "../../../cli/doctor/explain.ts";
import { HttpClientError } from "../../../cli/http3/errors.ts";

describe("Alt-Svc", () => {
  test.each([
    ['h3=":443"; ma=86400', [{ protocol: "h3", host: "", port: 443, maxAge: 86_400 }]],
    ['h3=":443"', [{ protocol: "h3", host: "", port: 443, maxAge: 86_400 }]],
    [
      'h2="alt.test:8443"; ma=60, h3-29=":443";ma=1;persist=1, h3=":443"; persist=1; ma="5"',
      [
        { protocol: "h2", host: "alt.test", port: 8443, maxAge: 60 },
        { protocol: "h3-29", host: "", port: 443, maxAge: 1 },
        { protocol: "h3", host: "", port: 443, maxAge: 5 },
      ],
    ],
    ["clear", []],
    ["", []],
  ])("%s", (field, alternatives) => {
    expect(parseAltSvc(field)).toEqual(alternatives);
  });
});

test("lifetimeLeft returns the remaining days and the remaining fraction", () => {
  const now = Date.parse("2026-11-21T00:00:00Z");
  const left = lifetimeLeft("Nov 11 00:00:00 2026 GMT", "Nov 26 00:00:00 2026 GMT", now);
  expect(left.days).toBeCloseTo(5);
  expect(left.fraction).toBeCloseTo(1 / 3);
  expect(lifetimeLeft("Nov 1 00:00:00 2026 GMT", "Nov 20 00:00:00 2026 GMT", now).fraction).toBeLessThan(0);
});

describe("QUIC version negotiation", () => {
  const destination = randomBytes(8);
  const source = randomBytes(8);
  const answer = (versions: number[], to = source, from = destination): Buffer => {
    const list = Buffer.alloc(4 * versions.length);
    for (const [index, version] of versions.entries()) list.writeUInt32BE(version, index * 4);
    return Buffer.concat([Buffer.of(0x80, 0, 0, 0, 0, to.length), to, Buffer.of(from.length), from, list]);
  };

  test("has a request of the size and form that servers answer", () => {
    const packet = probePacket(destination, source);
    expect(packet.length).toBe(1_200);
    expect((packet[0] ?? 0) & 0xc0).toBe(0xc0);
    expect(packet.readUInt32BE(1) & 0x0f0f0f0f).toBe(0x0a0a0a0a);
    expect(packet.subarray(6, 14)).toEqual(destination);
    expect(packet.subarray(15, 23)).toEqual(source);
  });

  test("accepts only an answer with the request's connection ids", () => {
    expect(versionsOf(answer([1, 0x6b3343cf]), destination, source)).toEqual([1, 0x6b3343cf]);
    expect(versionsOf(answer([1], randomBytes(8)), destination, source)).toBeUndefined();
    expect(versionsOf(answer([]), destination, source)).toBeUndefined();
    expect(versionsOf(probePacket(destination, source), destination, source)).toBeUndefined();
    expect(versionsOf(Buffer.from("x"), destination, source)).toBeUndefined();
  });
});

describe("explain", () => {
  test.each([
    [
      Object.assign(new Error("x"), { code: "ECONNREFUSED" }),
      "connection refused: nothing listens there (ECONNREFUSED)",
    ],
    [
      new TypeError("fetch failed", { cause: Object.assign(new Error("y"), { code: "ETIMEDOUT" }) }),
      "no answer: the packets are dropped on the way (ETIMEDOUT)",
    ],
    [
      new AggregateError([Object.assign(new Error("z"), { code: "ECONNRESET" })]),
      "the connection was reset (ECONNRESET)",
    ],
    [new HttpClientError("closed", "it broke", "somewhere"), "it broke"],
    [new Error("one\ntwo"), "one"],
    ["text", "text"],
  ])("%p", (error, got) => {
    expect(explain(error)).toEqual({ got });
  });

  test("refers from a certificate problem to the check of the certificate", () => {
    const { got, fix } = explain(Object.assign(new Error("x"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" }));
    expect(got).toBe("the certificate is self-signed");
    expect(fix).toContain('"Certificate"');
  });
});
