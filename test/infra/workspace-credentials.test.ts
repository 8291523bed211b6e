import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { parseSettings } from "../../infra/settings.ts";
import { credentialFile, workspaceCredentials as schema } from "../../infra/workspace-credentials.ts";

/** In the form of a key without a passphrase, and of one with. */
const pem = (cipher: string) =>
  `-----BEGIN OPENSSH PRIVATE KEY-----\n${Buffer.concat([Buffer.from("openssh-key-v1\0"), Buffer.from([0, 0, 0, cipher.length]), Buffer.from(`${cipher} s3cret`)]).toString("base64")}\n-----END OPENSSH PRIVATE KEY-----\n`;
const HOSTS = "# a comment of ssh-keyscan\ngit.example.com ssh-ed25519 AAAAC3Nz\n";
const key = { key: pem("none"), knownHosts: HOSTS };
const token = { user: "bot", token: "s3cret" };
const HTTPS = "https://git.example.com/o/n.git";
const SSH = "ssh://git@git.example.com/o/n.git";

describe("workspaceCredentials", () => {
  test("become git configuration for one host, or known hosts and a key", () => {
    expect(credentialFile({ workspaceCredentials: token, workspace: HTTPS })).toBe(
      '[http]\n\tfollowRedirects = false\n[http "https://git.example.com/"]\n\textraHeader = "Authorization: Basic Ym90OnMzY3JldA=="\n',
    );
    const workspaceCredentials = schema.parse({ ...key, key: key.key.replaceAll("\n", "\r\n") });
    expect(credentialFile({ workspaceCredentials, workspace: SSH })).toBe(
      `git.example.com ssh-ed25519 AAAAC3Nz\n${pem("none")}`,
    );
  });

  test.each([
    ["s3cret", "is a secret, but must be an object"],
    [JSON.stringify("s3cret"), "is a secret, but must be an object"],
    [JSON.stringify({ token: "s3cret" }), "must have user and token for https, or key and knownHosts"],
    [JSON.stringify({ ...token, key: "s3cret" }), "must have user and token"],
    [JSON.stringify({ ...token, user: "" }), ".user is a secret, but must not be empty"],
    [JSON.stringify({ user: "a:b", token: "s3cret" }), '.user is a secret, but must not hold ":"'],
    [
      JSON.stringify({ user: "bot", token: 's3cret"\n[core]' }),
      ".token is a secret, but must not have blanks",
    ],
    [JSON.stringify({ ...key, key: "s3cret" }), ".key is a secret, but must be a private key in PEM"],
    [
      JSON.stringify({ ...key, key: pem("aes256-ctr") }),
      ".key is a secret, but must be a key without a passphrase",
    ],
    [
      JSON.stringify({ ...key, knownHosts: "git.example.com" }),
      ".knownHosts is a secret, but must be the lines of",
    ],
    [JSON.stringify({ ...key, knownHosts: "# s3cret" }), ".knownHosts is a secret, but must be the lines of"],
  ])("%s is refused, and the message does not show it", (workspaceCredentials, problem) => {
    const parse = () => parseSettings({ workspace: HTTPS, workspaceCredentials }, "dev");
    expect(parse).toThrow(problem);
    expect(parse).not.toThrow("s3cret");
  });

  test.each([
    [token, SSH],
    [token, "http://git.example.com/o/n.git"],
    [token, "."],
    [key, HTTPS],
    [key, "/srv/repository"],
  ])("must fit the URL scheme of the workspace", (credentials, workspace) => {
    for (const target of [{}, { target: "aws", domain: "mcp.example.com", workspace: HTTPS }]) {
      const settings = { ...target, workspace, workspaceCredentials: JSON.stringify(credentials) };
      expect(() => parseSettings(settings, "dev")).toThrow(
        /which is for a workspace with an (https|ssh):\/\/ address/,
      );
    }
  });

  test("are refused with their size if they are too long for an SSM parameter", () => {
    const long = { ...key, knownHosts: HOSTS.repeat(200) };
    const settings = { workspace: SSH, workspaceCredentials: JSON.stringify(long) };
    expect(() => parseSettings(settings, "dev")).toThrow(/has \d+ bytes, and 4096 are what AWS keeps/);
  });

  test("reserve their parameter's name, so that no secret of the server can use it", () => {
    const secrets = JSON.stringify({ WORKSPACE_CREDENTIALS: "s3cret" });
    const settings = { target: "aws", domain: "mcp.example.com", workspace: ".", secrets };
    expect(() => parseSettings(settings, "dev")).toThrow(
      "must not be set: that is the setting workspaceCredentials",
    );
  });
});

describe("keys of ssh-keygen", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mcp-edge-keys-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each([
    ["ed25519", "", true],
    ["ecdsa", "", true],
    ["ed25519", "a passphrase", false],
  ])("%s with passphrase %j", async (type, passphrase, good) => {
    const file = join(folder, `${type}${passphrase.length}`);
    await promisify(execFile)("ssh-keygen", ["-q", "-t", type, "-N", passphrase, "-f", file]);
    const { data, error } = schema.safeParse({ key: await readFile(file, "utf8"), knownHosts: HOSTS });
    if (good) expect(data).toEqual({ key: await readFile(file, "utf8"), knownHosts: expect.any(String) });
    else expect(error?.message).toContain("passphrase");
  });
});
