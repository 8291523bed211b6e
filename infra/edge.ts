import * as pulumi from "@pulumi/pulumi";
import { acmeRoots } from "./aws/acme-roots.ts";
import { edgeName, withFormerNames } from "./aws/former-names.ts";
import type { AwsEdge } from "./aws/index.ts";
import { providerSettings } from "./aws/provider-settings.ts";
import { regionProblem } from "./aws/region.ts";
import { localDomain, rememberDomain } from "./local/domain.ts";
import { assertHost } from "./local/host.ts";
import { LocalEdge } from "./local/index.ts";
import { buildRelease } from "./release.ts";
import {
  type AwsSettings,
  assertSecrets,
  type LocalSettings,
  parseSettings,
  rawSettings,
} from "./settings.ts";
import { prepareWorkspace } from "./workspace.ts";

/** An error that the user can fix: the engine prints its message alone, without a stack trace. */
async function explained<T>(work: () => Promise<T> | T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new pulumi.RunError((error as Error).message);
  }
}

/** The outputs of a stack; each target has some of these. */
export interface EdgeOutputs {
  url: string;
  ipv4: pulumi.Output<string>;
  ipv6: pulumi.Output<string>;
  release: string;
  /** local */
  networkIndex?: pulumi.Output<number>;
  rootsFile?: pulumi.Output<string>;
  /** aws */
  machines?: AwsEdge["machines"];
  bucket?: AwsEdge["bucket"];
  region?: string;
  generation?: AwsEdge["generation"];
  records?: AwsEdge["records"];
  nameServers?: AwsEdge["nameServers"];
  /** Roots to trust beside the system's, PEM. */
  acmeRoots?: string;
  shell?: string;
  monthlyCost?: AwsEdge["monthlyCost"];
}

/** The whole program: settings, release, target. @returns the stack's outputs. */
export async function edge(): Promise<EdgeOutputs> {
  const stack = pulumi.getStack();
  const raw = rawSettings(pulumi.runtime.allConfig());
  const settings = await explained(async () => {
    const domain = raw.target === "aws" ? {} : { domain: raw.domain ?? (await localDomain(stack)) };
    const parsed = parseSettings({ ...raw, ...domain }, stack);
    assertSecrets(parsed);
    return parsed;
  });
  return settings.target === "aws" ? onAws(settings) : onThisHost(settings);
}

async function onThisHost(settings: LocalSettings): Promise<EdgeOutputs> {
  const { stack } = settings;
  // A preview only reads; to make the machine, the host must be able to.
  if (!pulumi.runtime.isDryRun()) {
    await explained(() => assertHost());
    await rememberDomain(stack, settings.domain);
  }
  const release = await explained(() => buildRelease());
  const workspace = await explained(() => prepareWorkspace(settings));
  const local = new LocalEdge(stack, { settings, release, ...workspace });
  return {
    url: local.url,
    ipv4: local.ipv4,
    ipv6: local.ipv6,
    release: release.hash,
    networkIndex: local.networkIndex,
    rootsFile: local.rootsFile,
  };
}

async function onAws(settings: AwsSettings): Promise<EdgeOutputs> {
  const { stack } = settings;
  const region =
    new pulumi.Config("aws").get("region") ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
  if (!region) {
    throw new pulumi.RunError(
      `Stack "${stack}" has no region; fix: pulumi config set aws:region eu-central-1 --stack ${stack}`,
    );
  }
  const wrong = regionProblem(region);
  if (wrong) throw new pulumi.RunError(`Stack "${stack}": ${wrong}`);
  const roots = await explained(() => acmeRoots(settings));
  const provider = await explained(() => providerSettings(pulumi.runtime.allConfig(), region));
  // Loaded here, so that the local target does without AWS's SDK, which takes a second.
  const [{ AwsEdge }, { prepareAwsEdge }] = await Promise.all([
    import("./aws/index.ts"),
    import("./aws/prepare.ts"),
  ]);
  const prepared = await explained(() => prepareAwsEdge(settings));
  const { url, ipv4, ipv6, machines, bucket, generation, records, nameServers, shell, monthlyCost } =
    new AwsEdge(
      edgeName(stack),
      { settings, region, provider, ...prepared, prefix: `/mcp-edge/${stack}` },
      { transforms: [withFormerNames] },
    );
  return {
    url,
    ipv4,
    ipv6,
    release: prepared.release.hash,
    machines,
    bucket,
    region,
    generation,
    records,
    ...(nameServers ? { nameServers } : {}),
    ...(roots ? { acmeRoots: roots } : {}),
    shell,
    monthlyCost,
  };
}
