import type { AwsSurroundings } from "../../cloud-init/aws-user-data.ts";
import type { MachineSettings } from "../../cloud-init/settings.ts";
import type { Forward } from "../../cloud-init/topology.ts";
import { machineSettings } from "../../infra/settings/machine.ts";
import { parseSettings } from "../../infra/settings.ts";

/** As a stack's file has them. */
export const RAW = { target: "aws", domain: "mcp.example.com", email: "ops@example.com", workspace: "." };

export const AROUND_MACHINE = {
  acmeServer: "https://acme-v02.api.letsencrypt.org/directory",
  workspace: "https://git.example.com/team/code.git",
  workspaceName: "code",
};

/** The settings that the golden files are rendered with. */
export const SETTINGS: MachineSettings = machineSettings(parseSettings(RAW, "prod"), AROUND_MACHINE);

export const RELEASE = "5".repeat(64);

const identityProviders = [
  {
    provider: "google",
    client: "1.apps.googleusercontent.com",
    allow: ["@example.com"],
    ops: ["ada@example.com"],
  },
];

/** The same machine on AWS, with all its reports, a second host name and an identity provider. */
export const AWS_SETTINGS: MachineSettings = machineSettings(
  parseSettings(
    {
      ...RAW,
      tokenDomain: "token.example.com",
      identityProviders: JSON.stringify(identityProviders),
      identityProviderSecrets: JSON.stringify({ google: "a-client-secret" }),
    },
    "prod",
  ),
  { ...AROUND_MACHINE, aws: { metrics: true, logs: true } },
);

export const AROUND: AwsSurroundings = {
  prefix: "/mcp-edge/prod",
  region: "eu-central-1",
  bucket: "mcp-edge-prod-123456789012",
  volume: "vol-0123456789abcdef0",
  endpoint: "http://127.0.0.1:8000",
};

/** The same with two machines: an edge that passes connections on to an origin with Caddy. */
export const passthrough = (forward: Forward): MachineSettings =>
  machineSettings(
    parseSettings(
      { domain: "mcp.example.com", email: "ops@example.com", edge: "passthrough", forward },
      "prod",
    ),
    {
      ...AROUND_MACHINE,
      originMachine: { ipv4: "10.0.1.10", ipv6: "fd00:1::10" },
    },
  );
