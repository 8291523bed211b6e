import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "@jest/globals";
import { signedHeaders } from "../../../infra/aws/sigv4.ts";
import { run } from "../../../infra/exec.ts";

// Amazon S3 API reference, "Signature calculations: transferring payload in a single chunk", examples GET Object and PUT Object.
const credentials = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const at = new Date("2013-05-24T00:00:00Z");

describe("signedHeaders", () => {
  test("has the hash of the body, the time and, for temporary credentials, the session", () => {
    const url = new URL("https://examplebucket.s3.amazonaws.com/test%24file.text");
    const request = { method: "PUT", url, body: "Welcome to Amazon S3." };
    const headers = signedHeaders(request, { region: "us-east-1", credentials, at });
    expect(headers).toMatchObject({
      "x-amz-content-sha256": "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
      "x-amz-date": "20130524T000000Z",
    });
    expect(headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\/20130524\/us-east-1\/s3\/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=[0-9a-f]{64}$/,
    );
    const session = { ...credentials, sessionToken: "session" };
    const temporary = signedHeaders(request, { region: "us-east-1", credentials: session, at });
    expect(temporary["x-amz-security-token"]).toBe("session");
    expect(temporary.authorization).toContain("x-amz-date;x-amz-security-token,");
  });
});

test.each([
  [
    "GET Object, with a header of its own",
    "test.txt",
    { range: "bytes=0-9" },
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  ],
  [
    "GET Bucket Lifecycle",
    "?lifecycle",
    {},
    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
  ],
  [
    "List Objects, with a query",
    "?max-keys=2&prefix=J",
    {},
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  ],
])("has the signature of AWS's own example: %s", (_what, path, more, signature) => {
  const url = new URL(path, "https://examplebucket.s3.amazonaws.com/");
  const request = { method: "GET", url, body: "", headers: more };
  const headers = signedHeaders(request, { region: "us-east-1", credentials, at });
  expect(headers.authorization?.split("Signature=")[1]).toBe(signature);
});

/** Another program's signature of the same request: curl's, as the machines use it. */
async function curlSigns(): Promise<{ url: URL; headers: Record<string, string | string[] | undefined> }> {
  let headers: Record<string, string | string[] | undefined> = {};
  const server = createServer((request, response) => {
    headers = request.headers;
    response.end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/bucket/status/i-1.json`);
  const user = `${credentials.accessKeyId}:${credentials.secretAccessKey}`;
  const empty = "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"; // old ones leave it out
  await run("curl", ["-sS", "-H", empty, "--aws-sigv4", "aws:amz:eu-central-1:s3", "--user", user, url.href]);
  server.close();
  return { url, headers };
}

test("signs as curl does", async () => {
  const { url, headers } = await curlSigns();
  const time = String(headers["x-amz-date"]);
  const at = new Date(time.replace(/(....)(..)(..)T(..)(..)(..)Z/, "$1-$2-$3T$4:$5:$6Z"));
  const ours = signedHeaders({ method: "GET", url, body: "" }, { region: "eu-central-1", credentials, at });
  const signature = (text: string | string[] | undefined) => /Signature=(.*)/.exec(String(text))?.[1];
  expect(signature(headers.authorization)).toBe(signature(ours.authorization));
});
