import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { BucketClient } from "../../../infra/aws/bucket-client.ts";
import type { ProviderSettings } from "../../../infra/aws/provider-settings.ts";
import { RefusedError } from "../../../infra/aws/refused.ts";
import { roleCredentials } from "../../aws-double/account.ts";
import { apiServer } from "../../aws-double/endpoint/api.ts";
import { Double } from "../../aws-double/support.ts";

/** The client against the double's S3, which checks signatures and rights. */
let double: Double;
let server: Server;
let endpoint = "";
const requests: { url: string; tagging: unknown; type: unknown }[] = [];

beforeAll(async () => {
  double = await Double.create();
  await double.create("aws:s3/bucket:Bucket", { bucket: "mcp-edge-prod-artifacts-1a2b3c4" });
  server = apiServer(double.aws, () => {});
  server.prependListener("request", ({ method, url, headers }) =>
    requests.push({
      url: `${method} ${url}`,
      tagging: headers["x-amz-tagging"],
      type: headers["content-type"],
    }),
  );
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await double.remove();
});

function client(
  role: "deployer" | "preview",
  more: Partial<ProviderSettings> = {},
  bucket = "mcp-edge-prod-artifacts-1a2b3c4",
) {
  const {
    accessKeyId: accessKey,
    secretAccessKey: secretKey,
    sessionToken,
  } = roleCredentials(double.aws.store.home, role);
  const token = sessionToken ? { token: sessionToken } : {};
  const settings = {
    region: "eu-central-1",
    endpoints: { s3: endpoint },
    accessKey,
    secretKey,
    ...token,
    ...more,
  };
  return new BucketClient(bucket, settings, { Project: "mcp-edge", Name: "desired object" });
}

describe("BucketClient", () => {
  test("writes an object with type and tags, reads it back, and gets undefined for a missing object", async () => {
    const deployer = client("deployer");
    await deployer.put("desired.json", '{"a":1}');
    expect(requests.at(-1)).toMatchObject({
      tagging: "Project=mcp-edge&Name=desired+object",
      type: "application/json",
    });
    expect(await deployer.get("desired.json")).toEqual({ a: 1 });
    expect(await deployer.get("status/i-1.json")).toBeUndefined();
  });

  test.each([
    [
      "a missing permission",
      () => client("preview"),
      /AccessDenied.*need s3:GetObject on arn:aws:s3:::mcp-edge-prod-artifacts-1a2b3c4\/status\/i-1\.json and s3:ListBucket/,
    ],
    ["an unknown access key", () => client("deployer", { accessKey: "AKIANOBODY" }), /InvalidAccessKeyId/],
    ["a wrong secret key", () => client("deployer", { secretKey: "wrong" }), /SignatureDoesNotMatch/],
    ["a missing bucket", () => client("deployer", {}, "another"), /NoSuchBucket/],
  ])("fails without a retry: %s", async (_what, of, words) => {
    const refused = of().get("status/i-1.json");
    await expect(refused).rejects.toBeInstanceOf(RefusedError);
    await expect(refused).rejects.toThrow(words);
  });

  test("throws no RefusedError for a failed connection, which can be retried", async () => {
    const nobody = client("deployer", { endpoints: { s3: "http://127.0.0.1:1" } });
    const error = await nobody.get("desired.json").catch((one) => one);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(RefusedError);
  });
});
