import { describe, expect, test } from "@jest/globals";
import { providerSecretsFile } from "../../../infra/settings/identity-providers.ts";
import { machineSettings } from "../../../infra/settings/machine.ts";
import { assertSecrets, parseSettings, type SettingsError } from "../../../infra/settings.ts";
import { readConfig } from "../../../server/config/config.ts";

const TENANT = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490";
const GOOGLE = { provider: "google", client: "1.apps.googleusercontent.com", allow: ["@example.com"] };

const settings = (providers: unknown[], secrets?: object, more: Record<string, string> = {}) =>
  parseSettings(
    {
      identityProviders: JSON.stringify(providers),
      ...(secrets ? { identityProviderSecrets: JSON.stringify(secrets) } : {}),
      ...more,
    },
    "dev",
  );

const problems = (...args: Parameters<typeof settings>): readonly string[] => {
  try {
    assertSecrets(settings(...args));
    return [];
  } catch (error) {
    return (error as SettingsError).problems;
  }
};

test("providers become a variable that the server understands, and their secrets a file apart", () => {
  const parsed = settings(
    [
      { ...GOOGLE, ops: ["ada@example.com"] },
      { provider: "github", client: "Iv1.1", allow: ["group:acme/platform", "user:octocat"] },
      { provider: "entra", client: TENANT, tenant: TENANT, allow: ["*"] },
      {
        provider: "oidc",
        client: "c",
        issuer: "https://id.example.com/realms/a",
        label: "Example ID",
        groups: "roles",
        scopes: ["roles", "extra"],
        allow: ["group:Dev"],
      },
    ],
    { google: "s-1", github: "s-2", entra: "s~3", oidc: "s=4" },
    { localSignIn: "false" },
  );
  const around = { acmeServer: "https://acme.example.com/dir", workspace: "", workspaceName: "code" };
  const { serverEnvironment } = machineSettings(parsed, around);
  expect(JSON.stringify(serverEnvironment)).not.toMatch(/s[-~=]\d/);
  const { identity } = readConfig({ ...serverEnvironment, IDENTITY_PROVIDER_SECRETS_FILE: "/x" });
  expect(identity.localSignIn).toBe("no");
  expect(identity.providers).toMatchObject([
    { provider: "google", ops: [{ kind: "email", value: "ada@example.com" }] },
    { provider: "github", allow: [{ value: "acme/platform" }, { value: "octocat" }] },
    { provider: "entra", issuer: `https://login.microsoftonline.com/${TENANT}/v2.0` },
    { provider: "oidc", label: "Example ID", groupsClaim: "roles", scopes: ["roles", "extra"] },
  ]);
  expect(providerSecretsFile(parsed.identityProviderSecrets)).toBe(
    "google=s-1\ngithub=s-2\nentra=s~3\noidc=s=4\n",
  );
});

test("the command line, which reads no secret, takes the settings without their secrets", () => {
  expect(settings([GOOGLE]).identityProviders).toHaveLength(1);
});

describe("a mistake is named with the command that fixes it", () => {
  test.each([
    [
      [GOOGLE],
      undefined,
      {},
      "identityProviderSecrets has no client secret for it",
      "--set identityProviderSecrets=@FILE",
    ],
    [
      [],
      { google: "hunter22" },
      {},
      "which identityProviders does not name",
      "config rm --path mcp-edge:identityProviderSecrets.google",
    ],
    [
      [GOOGLE],
      { google: "hunter22" },
      { auth: "token" },
      "identityProviders is for auth: oauth",
      "config set mcp-edge:auth oauth",
    ],
    [
      [],
      undefined,
      { localSignIn: "false" },
      "names nobody else who could sign in",
      "config set mcp-edge:localSignIn true",
    ],
    [
      [GOOGLE, GOOGLE],
      { google: "hunter22" },
      {},
      "must not name google a second time",
      "identityProviders[1].provider",
    ],
    [
      [{ ...GOOGLE, allow: ["*"] }],
      { google: "hunter22" },
      {},
      "everybody with an account at google",
      "identityProviders[0].allow",
    ],
    [
      [{ ...GOOGLE, allow: ["ada"] }],
      { google: "hunter22" },
      {},
      "must be ada@example.com, @example.com",
      "identityProviders[0].allow[0]",
    ],
    [
      [{ ...GOOGLE, provider: "entra", tenant: "common" }],
      { entra: "hunter22" },
      {},
      "must be the directory (tenant) id",
      "identityProviders[0].tenant",
    ],
    [
      [GOOGLE],
      { google: "hunter 22" },
      {},
      "must be the client secret, without blanks",
      "--set identityProviderSecrets=@FILE",
    ],
  ])("%j with the secrets %j and %j", (providers, secrets, more, problem, fix) => {
    const [found = ""] = problems(providers, secrets, more);
    expect(found).toContain(problem);
    expect(found).toContain(fix);
    expect(found).not.toContain("hunter");
  });
});
