import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { backendOf } from "../../../cli/stack/backend.ts";
import { belonging, plainConfig } from "../../../cli/stack/team.ts";

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
  test("in AWS is in the backend of its team's login, with the team's passphrase, which may be empty", () => {
    expect(belonging(file, "aws", env, "s3://state")).toEqual({
      shared: true,
      environment: {
        PULUMI_BACKEND_URL: "s3://state",
        PULUMI_HOME: join(homedir(), ".pulumi"),
        PULUMI_CONFIG_PASSPHRASE: "",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "false",
      },
      encryption: { encryptionsalt: "v1:salt" },
      secrets: { "mcp-edge:secrets": secret },
    });
  });

  test("in AWS without a shared state uses this checkout's state and the file's passphrase", () => {
    const passphrase = { PULUMI_CONFIG_PASSPHRASE_FILE: "/run/passphrase" };
    const { shared, environment } = belonging(file, "aws", passphrase, "");
    expect(shared).toBe(false);
    expect(environment).toMatchObject(passphrase);
    expect(environment.PULUMI_BACKEND_URL).toBeUndefined();
    expect(belonging({ config: {} }, "aws", passphrase, "").environment).not.toMatchObject(passphrase);
  });

  test("on this host uses this checkout's state, not the one of the user's environment", () => {
    expect(belonging(file, "local", env, "s3://state")).toMatchObject({ shared: false, environment: {} });
    expect(belonging({}, undefined, env, "s3://state")).toMatchObject({ shared: false, environment: {} });
  });

  test("has a readable configuration, and secrets that stay encrypted", () => {
    expect(plainConfig(file)).toEqual({ "mcp-edge:target": "aws", "mcp-edge:machines": "2" });
    expect(plainConfig({})).toEqual({});
  });

  test("has structured values as JSON, and keeps one with a secret encrypted as a whole", () => {
    const config = {
      "aws:assumeRoles": [{ roleArn: "arn:aws:iam::111122223333:role/x" }],
      "mcp-edge:secrets": { API_KEY: secret, OTHER: "plain" },
    };
    expect(plainConfig({ config })).toEqual({
      "aws:assumeRoles": '[{"roleArn":"arn:aws:iam::111122223333:role/x"}]',
    });
    expect(belonging({ config }, "aws", env, "").secrets).toEqual({
      "mcp-edge:secrets": config["mcp-edge:secrets"],
    });
  });
});

describe("the backend", () => {
  let PULUMI_HOME = "";
  beforeEach(async () => {
    PULUMI_HOME = await mkdtemp(join(tmpdir(), "mcp-edge-login-"));
  });
  afterEach(() => rm(PULUMI_HOME, { recursive: true }));

  test("is chosen as pulumi does: from the variable, the project, the login or a token", async () => {
    expect(await backendOf({ PULUMI_HOME }, undefined)).toBe("");
    const PULUMI_ACCESS_TOKEN = "pul-x";
    expect(await backendOf({ PULUMI_HOME, PULUMI_ACCESS_TOKEN }, undefined)).toBe("https://api.pulumi.com");
    await writeFile(join(PULUMI_HOME, "credentials.json"), '{"current":"https://pulumi.example.com"}');
    expect(await backendOf({ PULUMI_HOME, PULUMI_ACCESS_TOKEN }, undefined)).toBe(
      "https://pulumi.example.com",
    );
    expect(await backendOf({ PULUMI_HOME }, "gs://project")).toBe("gs://project");
    expect(await backendOf({ PULUMI_HOME, PULUMI_BACKEND_URL: "s3://state" }, "gs://project")).toBe(
      "s3://state",
    );
    await writeFile(join(PULUMI_HOME, "credentials.json"), '{"current":""}');
    expect(await backendOf({ PULUMI_HOME }, undefined)).toBe("");
  });
});
