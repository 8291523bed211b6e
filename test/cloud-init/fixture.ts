import type { MachineSettings } from "../../cloud-init/settings.ts";

/** The settings that the golden files are rendered with. */
export const SETTINGS: MachineSettings = {
  domain: "mcp.example.com",
  email: "ops@example.com",
  acmeServer: "https://acme-v02.api.letsencrypt.org/directory",
  stack: "prod",
  auth: "token",
  logLevel: "info",
  workspace: "https://git.example.com/team/code.git",
  workspaceName: "code",
  rateLimit: 50,
};

export const RELEASE = "5".repeat(64);
