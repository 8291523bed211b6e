import { acmeRoots } from "../../infra/aws/acme-roots.ts";
import { providerSettings } from "../../infra/aws/provider-settings.ts";
import { onMachine } from "../../infra/local/deployment.ts";
import { parseSettings, rawSettings, type Settings } from "../../infra/settings.ts";
import { redirectUri } from "../connect/redirect-uris.ts";
import type { Check } from "../doctor/check.ts";
import { CHECKS } from "../doctor/checks/index.ts";
import { bansCheck } from "../doctor/checks/machine/bans.ts";
import { flowsCheck } from "../doctor/checks/machine/flows.ts";
import { forwardingCheck } from "../doctor/checks/machine/forwarding.ts";
import { patchesCheck } from "../doctor/checks/machine/patches.ts";
import { renewalCheck } from "../doctor/checks/machine/renewal.ts";
import { type IdentityProvider, identityProviderCheck } from "../doctor/checks/mcp/identity-provider.ts";
import { tokenDomainCheck } from "../doctor/checks/mcp/token-domain.ts";
import { runWithProgress } from "../doctor/progress.ts";
import type { DoctorReport } from "../doctor/run.ts";
import type { AuthMode, TargetMachine } from "../doctor/target.ts";
import { listBans } from "../machine/bans.ts";
import { machineOutput } from "../machine/machine-output.ts";
import { hasForwarder, machineRef, regionOf } from "../machine/machine-ref.ts";
import { doctorSignInLink } from "../machine/people.ts";
import { createToken, withShortToken } from "../machine/tokens.ts";
import { type Deployed, readDeployed } from "../stack/outputs.ts";
import { targetOf } from "../stack/team.ts";
import { stackConfig } from "../stack/workspace.ts";

/** The host that `doctor` examines when it was given no URL. */
export interface DoctorDefault {
  url: string;
  /** PEM text, or the path of a PEM file. */
  ca?: string;
  /** IP address to connect to. */
  address?: string;
  token?: string;
  auth?: AuthMode;
  machine?: TargetMachine;
  /** For a server where people sign in: a link that signs the doctor in once. */
  signInLink?: () => Promise<URL>;
  /** Checks that only this caller can make, after the others. */
  more?: readonly Check[];
}

/** Long enough for every check; the token expires by itself. */
const TOKEN_SECONDS = 300;

/** Asks the machine itself, not over the network: a banned host would get no answer there. */
const bansOf = (deployed: Deployed) => bansCheck(() => listBans(deployed));

/** What the machine's own status says, read once for all checks. */
function statusChecks({ stack, networkIndex }: Deployed): Check[] {
  let status: Promise<string> | undefined;
  const read = () => {
    status ??= onMachine(stack, networkIndex, ["mcp-edge-deploy", "status"]);
    return status;
  };
  return [patchesCheck(read, stack), renewalCheck(read, stack), flowsCheck(read, stack)];
}

/** The checks of the edge in front of an origin. */
async function forwarderChecks(stack: string): Promise<Check[]> {
  if (!(await hasForwarder(stack))) return [];
  const read = async (command: string) =>
    machineOutput(await machineRef(stack, "edge"), ["mcp-edge-deploy", command]);
  return [forwardingCheck(() => read("check"), stack), patchesCheck(() => read("status"), stack, "edge")];
}

const target = (deployed: Deployed) => ({ url: new URL(deployed.url).origin, ca: deployed.rootsFile });

/**
 * Where a stack is reached. A stack on this host comes with a short-lived token and with checks on the machine itself. A stack in AWS
 * comes with its domain and the roots of its certificates, both from its settings.
 * @throws Error with the command to run when a stack of this host is not up
 */
export async function doctorDefault(stack: string): Promise<DoctorDefault> {
  const inAws = await awsDefault(stack);
  if (inAws) return inAws;
  const deployed = await readDeployed(stack);
  const { more, ...access } = await accessOf(stack);
  const known = {
    ...target(deployed),
    ...access,
    more: [bansOf(deployed), ...statusChecks(deployed), ...(await forwarderChecks(stack)), ...more],
  };
  if (process.env.MCP_EDGE_TOKEN) return known;
  const { token } = await createToken(deployed, { name: "doctor", ttl: TOKEN_SECONDS });
  return { ...known, token };
}

/** How callers get in at a stack, the doctor's own way where people sign in, and the check of a second host name. */
async function accessOf(stack: string) {
  const settings = parseSettings(rawSettings(await stackConfig(stack)), stack);
  const { auth, edge, tokenDomain } = settings;
  return {
    auth,
    machine: { stack, tlsServer: edge === "passthrough" ? ("caddy" as const) : ("nginx" as const) },
    more: [
      ...(tokenDomain ? [tokenDomainCheck(tokenDomain)] : []),
      ...providersOf(settings).map(identityProviderCheck),
    ],
    ...(auth === "oauth" ? { signInLink: async () => doctorSignInLink(await machineRef(stack)) } : {}),
  };
}

/** The identity providers of a stack, and where each answers without a credential. */
function providersOf({ domain, identityProviders }: Settings): IdentityProvider[] {
  return identityProviders.map((settings) => {
    const { provider } = settings;
    const github = provider === "github" ? (settings.url ?? "https://github.com") : undefined;
    const issuer =
      provider === "google"
        ? "https://accounts.google.com"
        : provider === "entra"
          ? `https://login.microsoftonline.com/${settings.tenant.toLowerCase()}/v2.0`
          : provider === "oidc"
            ? settings.issuer
            : undefined;
    const api = github === "https://github.com" ? "https://api.github.com" : `${github}/api/v3`;
    const url =
      issuer === undefined ? `${api}/meta` : `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    return { provider, issuer, url, redirectUri: redirectUri(domain, provider) };
  });
}

/** @returns undefined when the stack is not in AWS */
async function awsDefault(stack: string): Promise<DoctorDefault | undefined> {
  const config = await stackConfig(stack);
  if (targetOf(config) !== "aws") return undefined;
  const settings = parseSettings(rawSettings(config), stack);
  if (settings.target !== "aws") return undefined;
  const ca = await acmeRoots(settings);
  return { url: `https://${settings.domain}`, ...(await accessOf(stack)), ...(ca ? { ca } : {}) };
}

/** Examines a stack through the APIs of AWS. Only its settings are needed: it may have been brought up elsewhere, or not at all. */
export async function awsDoctor(stack: string, limitMs: number): Promise<DoctorReport> {
  const config = await stackConfig(stack);
  const settings = parseSettings(rawSettings(config), stack);
  if (settings.target !== "aws") {
    throw new Error(
      `Stack ${stack} is not in AWS (target ${settings.target}). Name one that is: --stack dev`,
    );
  }
  const provider = providerSettings(config, regionOf(stack, config));
  const { runAwsDoctor } = await import("../doctor/aws/run.ts");
  return runAwsDoctor({ settings, provider, limitMs });
}

/** Examines a stack of this host that is up. */
export async function doctorOf(deployed: Deployed, { quiet }: { quiet: boolean }): Promise<DoctorReport> {
  const { auth, machine, more } = await accessOf(deployed.stack);
  const checks = [...CHECKS, bansOf(deployed), ...(await forwarderChecks(deployed.stack)), ...more];
  return withShortToken(deployed, (token) =>
    runWithProgress({ ...target(deployed), auth, machine, checks, token }, quiet),
  );
}
