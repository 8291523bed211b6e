import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, test } from "@jest/globals";
import { freePort } from "../../../support/free-port.ts";
import type { Issued } from "../../http3/servers/certificates.ts";
import {
  examine,
  examineByName,
  http3Server,
  listen,
  tls1Server,
  tlsServer,
  useFixture,
} from "../fixture.ts";

const fixture = useFixture();

const ok: Parameters<typeof tlsServer>[1] = {
  "/": (_request, response) => {
    response.writeHead(200).end();
  },
};
const bad: Parameters<typeof tlsServer>[1] = {
  "/": (_request, response) => {
    response.writeHead(502).end();
  },
};

describe("DNS", () => {
  test("lists every address", async () => {
    const [dns] = await examineByName(["dns"], "https://localhost:1");
    expect(dns).toMatchObject({ ok: true });
    expect(dns?.got).toMatch(/^A 127\.0\.0\.1; AAAA (none|::1)$/);
  });

  test("fails for a name without an address", async () => {
    const [dns, tcp] = await examineByName(["dns", "tcp"], "https://nobody.invalid");
    expect(dns).toMatchObject({ ok: false, got: expect.stringContaining("no address") });
    expect(dns?.fix).toContain("dig +short nobody.invalid A");
    expect(tcp).toMatchObject({ ok: false, got: "not tried: DNS failed", blockedBy: ["DNS"] });
  });

  test("is not queried with --connect or for an IP address", async () => {
    const [connect] = await examine(["dns"], { port: 1 });
    expect(connect?.got).toBe("not asked, --connect gives 127.0.0.1");
    const [literal] = await examineByName(["dns"], "https://[::1]:1");
    expect(literal?.got).toBe("::1 is an IP address");
  });
});

describe("TCP", () => {
  test("passes for a listening port, and fails for a closed one", async () => {
    const server = await fixture.keep(listen(createServer()));
    const [, good] = await examine(["dns", "tcp"], server);
    expect(good).toMatchObject({
      ok: true,
      got: expect.stringMatching(/^127\.0\.0\.1: connected in \d+ ms$/),
    });
    const [, refused] = await examine(["dns", "tcp"], { port: await freePort() });
    expect(refused).toMatchObject({ ok: false, got: expect.stringContaining("nothing listens there") });
    expect(refused?.fix).toContain("ss -lnt");
  });
});

describe("UDP", () => {
  test("passes for a QUIC server that answers a handshake but no version negotiation", async () => {
    const server = await fixture.keep(
      http3Server(fixture.certificate, (stream) => stream.respond({ ":status": "200" }, { endStream: true })),
    );
    const [, udp] = await examine(["dns", "udp"], server);
    expect(udp).toMatchObject({ ok: true, got: "127.0.0.1: QUIC v1 answered a handshake" });
  });

  test("fails if no server listens or the server does not answer", async () => {
    const [, refused] = await examine(["dns", "udp"], { port: await freePort() });
    expect(refused).toMatchObject({ ok: false, got: expect.stringContaining("nothing listens there") });
    expect(refused?.fix).toContain("Open UDP");
    const silent = createSocket("udp4").bind(0, "127.0.0.1");
    await once(silent, "listening");
    const [, quiet, http3] = await examine(["dns", "udp", "http3"], silent.address(), { timeoutMs: 400 });
    expect(quiet).toMatchObject({ ok: false, got: "127.0.0.1: no answer within 0.32 s" });
    expect(http3).toMatchObject({ ok: false, got: "not tried: UDP (QUIC) failed" });
    silent.close();
  });

  test("fails for a server with another version of QUIC", async () => {
    const server = createSocket("udp4").bind(0, "127.0.0.1");
    await once(server, "listening");
    server.on("message", (packet, from) => {
      const ids = Buffer.concat([packet.subarray(14, 23), packet.subarray(5, 14)]);
      server.send(
        Buffer.concat([Buffer.of(0x80, 0, 0, 0, 0), ids, Buffer.of(0x6b, 0x33, 0x43, 0xcf)]),
        from.port,
      );
    });
    const [, udp] = await examine(["dns", "udp"], server.address());
    expect(udp).toMatchObject({ ok: false, got: expect.stringContaining("does not speak QUIC version 1") });
    server.close();
  });
});

describe("HTTP/3", () => {
  const ids = ["dns", "udp", "http3"];

  test("passes with six new connections", async () => {
    const server = await fixture.keep(
      http3Server(fixture.certificate, (stream) => stream.respond({ ":status": "200" }, { endStream: true })),
    );
    const [, , http3] = await examine(ids, server, { ca: fixture.authority.ca });
    expect(http3).toMatchObject({
      ok: true,
      got: expect.stringContaining("h3, status 200, 6 of 6 connections"),
    });
  });

  test("fails for an untrusted certificate, and for a stopped server behind the edge", async () => {
    const server = await fixture.keep(
      http3Server(fixture.certificate, (stream) => stream.respond({ ":status": "502" }, { endStream: true })),
    );
    const [, , untrusted] = await examine(ids, server);
    expect(untrusted).toMatchObject({
      ok: false,
      got: expect.stringContaining("not signed by a trusted authority"),
    });
    expect(untrusted?.fix).toContain("Fix the certificate first");
    const [, , down] = await examine(ids, server, { ca: fixture.authority.ca });
    expect(down).toMatchObject({ ok: false, got: "127.0.0.1: HTTP/3 works, but the answer is 502" });
    expect(down?.fix).toContain("journalctl -u 'mcp-edge@*'");
  });

  test("fails if only some new connections work", async () => {
    let seen = 0;
    const server = await fixture.keep(
      http3Server(fixture.certificate, (stream) => {
        if (seen++ % 2 === 0) stream.respond({ ":status": "200" }, { endStream: true });
        else stream.close(0x102);
      }),
    );
    const [, , http3] = await examine(ids, server, { ca: fixture.authority.ca });
    expect(http3).toMatchObject({
      ok: false,
      got: expect.stringContaining("only 3 of 6 new connections worked"),
    });
    expect(http3?.fix).toContain("worker_shutdown_timeout");
  });
});

describe("HTTP/2 and HTTP/1.1", () => {
  test("pass for a server with both", async () => {
    const server = await fixture.keep(tlsServer(fixture.certificate, ok));
    const [, http2, http1] = await examine(["tcp", "http2", "http1"], server, { ca: fixture.authority.ca });
    expect(http2).toMatchObject({ ok: true, got: "h2, status 200" });
    expect(http1).toMatchObject({ ok: true, got: "http/1.1, status 200" });
  });

  test("fail for a server without HTTP/2", async () => {
    const server = await fixture.keep(tls1Server(fixture.certificate, ok));
    const [http2, http1] = await examine(["http2", "http1"], server, { ca: fixture.authority.ca });
    expect(http2).toMatchObject({ ok: false, got: "the server chose http/1.1 although h2 was offered" });
    expect(http2?.fix).toContain("http2 on;");
    expect(http1).toMatchObject({ ok: true });
  });

  test("fail for a stopped server behind the edge", async () => {
    const server = await fixture.keep(tlsServer(fixture.certificate, bad));
    const results = await examine(["http2", "http1"], server, { ca: fixture.authority.ca });
    expect(results.map(({ got }) => got)).toEqual([
      "HTTP/2 works, but the answer is 502",
      "HTTP/1.1 works, but the answer is 502",
    ]);
  });

  test("fail for a server that accepts connections and does not answer", async () => {
    const server = await fixture.keep(listen(createServer()));
    const results = await examine(["http2", "http1", "certificate"], server, {
      ca: fixture.authority.ca,
      timeoutMs: 300,
    });
    for (const result of results) expect(result).toMatchObject({ ok: false, got: "no answer within 0.3 s" });
  });

  test("fail for a server without TLS", async () => {
    const server = await fixture.keep(listen(createServer((socket) => socket.end("SSH-2.0-nobody\r\n"))));
    const results = await examine(["http2", "http1"], server, { ca: fixture.authority.ca });
    for (const result of results)
      expect(result).toMatchObject({ ok: false, fix: expect.stringContaining("nginx") });
  });
});

describe("certificate", () => {
  const day = 86_400_000;
  const during = (from: number, to: number) => ({
    from: new Date(Date.now() + from * day),
    to: new Date(Date.now() + to * day),
  });
  const look = async (issued: Issued, ca?: string) => {
    const server = await fixture.keep(tlsServer(issued, ok));
    const [result] = await examine(["certificate"], server, ca === undefined ? {} : { ca });
    return result;
  };

  test("passes with the issuer, the remaining days and the fraction of its life", async () => {
    const result = await look(fixture.authority.issue("edge.test", during(-5, 5)), fixture.authority.ca);
    expect(result).toMatchObject({ ok: true });
    expect(result?.got).toBe("trusted, issued by Test root, 5.0 days left (50 % of its life), TLSv1.3");
  });

  test("fails if less than a sixth of its life is left", async () => {
    const result = await look(fixture.authority.issue("edge.test", during(-53, 7)), fixture.authority.ca);
    expect(result).toMatchObject({
      ok: false,
      got: expect.stringContaining("7.0 days left (12 % of its life)"),
    });
    expect(result?.fix).toContain("cat /run/mcp-edge-cert/problem");
  });

  test("passes with a warning and a command if the renewal is overdue", async () => {
    const result = await look(fixture.authority.issue("edge.test", during(-65, 25)), fixture.authority.ca);
    expect(result).toMatchObject({ ok: true });
    expect(result?.got).toMatch(
      /28 % of its life.*\. The renewal is overdue\. .*journalctl -u mcp-edge-cert/,
    );
  });

  test.each([
    ["expired", during(-10, -1), "edge.test", "the certificate has expired"],
    ["not yet valid", during(1, 10), "edge.test", "the certificate is not valid yet"],
    ["for another name", during(-1, 10), "other.test", "the certificate is for another name"],
  ])("%s", async (_what, dates, name, got) => {
    const result = await look(fixture.authority.issue(name, dates), fixture.authority.ca);
    expect(result).toMatchObject({ ok: false, got: expect.stringContaining(got) });
    expect(result?.fix).toContain("mcp-edge-cert");
  });

  test("fails for an untrusted authority", async () => {
    const result = await look(fixture.certificate);
    expect(result).toMatchObject({
      ok: false,
      got: expect.stringContaining("issued by Test root, for DNS:edge.test"),
    });
    expect(result?.fix).toContain("--ca FILE");
  });
});

describe("an unknown host name", () => {
  test("passes if it is refused", async () => {
    const server = await fixture.keep(
      listen(
        (await import("node:tls")).createServer({
          ...fixture.certificate,
          SNICallback: (name, done) => (name === "edge.test" ? done(null) : done(new Error("unknown"))),
        }),
      ),
    );
    const [result] = await examine(["unknown-host"], server);
    expect(result).toMatchObject({ ok: true, got: expect.stringContaining("refused in the handshake") });
  });

  test("fails if it is served, which shows scanners the name", async () => {
    const [result] = await examine(["unknown-host"], await fixture.keep(tlsServer(fixture.certificate, ok)));
    expect(result).toMatchObject({ ok: false, got: expect.stringContaining("shows edge.test") });
    expect(result?.fix).toContain("ssl_reject_handshake on");
  });
});
