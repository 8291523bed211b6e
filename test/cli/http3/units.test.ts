import { PassThrough } from "node:stream";
import { describe, expect, test } from "@jest/globals";
import { describeQuicCode, HttpClientError } from "../../../cli/http3/errors.ts";
import { toOutgoing } from "../../../cli/http3/outgoing.ts";
import { trustedRoots } from "../../../cli/http3/trust.ts";
import { upload } from "../../../cli/http3/upload.ts";

describe("error codes in words", () => {
  test.each([
    [0, undefined],
    [undefined, undefined],
    [2, "connection refused"],
    [0x10b, "request rejected"],
    [0x130, "the certificate is not signed by a trusted authority (unknown_ca)"],
    [0x170, "the server does not know this host name (unrecognized_name)"],
    [0x178, "the server does not speak HTTP/3 on this port (no_application_protocol)"],
    [0x150, "TLS alert 80"],
    [0x999, "error code 0x999"],
  ])("%p", (code, words) => {
    expect(describeQuicCode(code)).toBe(words);
  });

  test("are in an error of fetch's type, with the problem, the server and the cause", () => {
    const cause = new Error("inner");
    const error = new HttpClientError("closed", "it broke", "edge.test at 192.0.2.1 port 443/udp", cause);
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe("it broke (edge.test at 192.0.2.1 port 443/udp)");
    expect([error.code, error.what, error.cause]).toEqual(["closed", "it broke", cause]);
  });
});

describe("fetch arguments", () => {
  test("keep headers except those that HTTP/3 forbids, and get a length", async () => {
    const out = await toOutgoing("https://edge.test/a?b=c", {
      method: "POST",
      headers: { "X-One": "1", Connection: "close", "Transfer-Encoding": "chunked", Host: "other" },
      body: "äöü",
    });
    expect(out.headers).toEqual({
      "x-one": "1",
      "content-type": "text/plain;charset=UTF-8",
      "content-length": "6",
      accept: "*/*",
      "user-agent": "mcp-edge",
    });
    expect([out.method, out.url.pathname, out.url.search]).toEqual(["POST", "/a", "?b=c"]);
  });

  test.each([
    ["text", "abc"],
    ["bytes", new Uint8Array([1, 2, 3])],
    ["a form", new URLSearchParams({ a: "b" })],
    ["a blob", new Blob(["abc"])],
  ])("send the whole of %s", async (_name, body) => {
    const out = await toOutgoing("https://edge.test/", { method: "POST", body });
    expect(out.body).toBeInstanceOf(Uint8Array);
    expect(out.headers["content-length"]).toBe("3");
  });

  test("send a stream without a length", async () => {
    const out = await toOutgoing("https://edge.test/", { method: "POST", body: new ReadableStream() });
    expect(out.body).toBeInstanceOf(ReadableStream);
    expect(out.headers).not.toHaveProperty("content-length");
  });

  test("allow only https", async () => {
    await expect(toOutgoing("http://edge.test/")).rejects.toThrow(
      "Only https URLs can be fetched here, not http://edge.test",
    );
  });
});

describe("uploads", () => {
  test("are sent in slices, at the reader's pace, and end the stream", async () => {
    const stream = new PassThrough({ highWaterMark: 16 });
    const body = new Uint8Array(200_000).fill(1);
    const sent = upload(stream, body, new AbortController().signal);
    const sizes: number[] = [];
    for await (const part of stream) sizes.push((part as Buffer).length);
    await sent;
    expect(sizes).toEqual([65_536, 65_536, 65_536, 3_392]);
  });

  test("stop without an error when the response has ended, and pass on an error of their source", async () => {
    const stop = new AbortController();
    const stuck = upload(new PassThrough({ highWaterMark: 1 }), new Uint8Array(100_000), stop.signal);
    stop.abort();
    await expect(stuck).resolves.toBeUndefined();
    const broken = new ReadableStream<Uint8Array>({ pull: (sink) => sink.error(new Error("disk gone")) });
    await expect(upload(new PassThrough(), broken, new AbortController().signal)).rejects.toThrow(
      "disk gone",
    );
  });
});

test("the system's roots and the given one are trusted", () => {
  const roots = trustedRoots();
  expect(roots.length).toBeGreaterThan(50);
  expect(new Set(roots).size).toBe(roots.length);
  expect(trustedRoots("PEM")).toEqual([...roots, "PEM"]);
});
