import { describe, expect, test } from "@jest/globals";
import { belonging, plainConfig } from "../../cli/team.ts";

const secret = { secure: "v1:abc:def" };
const file = {
  encryptionsalt: "v1:salt",
  config: { "mcp-edge:target": "aws", "mcp-edge:machines": 2, "mcp-edge:secrets": secret },
};
const env = {
  PULUMI_BACKEND_URL: "s3://state",
  PULUMI_CONFIG_PASSPHRASE: "",
  PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
};

describe("a stack", () => {
  test("in AWS is where PULUMI_BACKEND_URL says, under the team's passphrase, which may be empty", () => {
    expect(belonging(file, "aws", env)).toEqual({
      shared: true,
      environment: {
        PULUMI_BACKEND_URL: "s3://state",
        PULUMI_CONFIG_PASSPHRASE: "",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "false",
      },
      encryption: { encryptionsalt: "v1:salt" },
      secrets: { "mcp-edge:secrets": secret },
    });
  });

  test("in AWS without a shared state keeps this checkout's, and the file's own passphrase", () => {
    const passphrase = { PULUMI_CONFIG_PASSPHRASE_FILE: "/run/passphrase" };
    const { shared, environment } = belonging(file, "aws", passphrase);
    expect(shared).toBe(false);
    expect(environment).toMatchObject(passphrase);
    expect(environment.PULUMI_BACKEND_URL).toBeUndefined();
    expect(belonging({ config: {} }, "aws", passphrase).environment).not.toMatchObject(passphrase);
  });

  test("on this host is this checkout's, whatever the user's environment says", () => {
    expect(belonging(file, "local", env)).toMatchObject({ shared: false, environment: {} });
    expect(belonging({}, undefined, env)).toMatchObject({ shared: false, environment: {} });
  });

  test("has a configuration to read, and secrets that stay as they are", () => {
    expect(plainConfig(file)).toEqual({ "mcp-edge:target": "aws", "mcp-edge:machines": "2" });
    expect(plainConfig({})).toEqual({});
  });

  test("has structured values as JSON, and one that holds a secret stays whole and unread", () => {
    const config = {
      "aws:assumeRoles": [{ roleArn: "arn:aws:iam::111122223333:role/x" }],
      "mcp-edge:secrets": { API_KEY: secret, OTHER: "plain" },
    };
    expect(plainConfig({ config })).toEqual({
      "aws:assumeRoles": '[{"roleArn":"arn:aws:iam::111122223333:role/x"}]',
    });
    expect(belonging({ config }, "aws", env).secrets).toEqual({
      "mcp-edge:secrets": config["mcp-edge:secrets"],
    });
  });
});
