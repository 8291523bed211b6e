import * as pulumi from "@pulumi/pulumi";
import { localDomain, rememberDomain } from "./local/domain.ts";
import { assertHost } from "./local/host.ts";
import { LocalEdge } from "./local/index.ts";
import { buildRelease } from "./release.ts";
import { NAMESPACE, parseSettings } from "./settings.ts";

/** The stack's configuration in our namespace, without the prefix. */
export function rawSettings(config: Record<string, string>): Record<string, string> {
  const ours = Object.entries(config).filter(([key]) => key.startsWith(`${NAMESPACE}:`));
  return Object.fromEntries(ours.map(([key, value]) => [key.slice(NAMESPACE.length + 1), value]));
}

/** An error that the user can mend: the engine prints its message alone, without a stack trace. */
async function explained<T>(work: () => Promise<T> | T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new pulumi.RunError((error as Error).message);
  }
}

/** The whole program: settings, release, target. @returns the stack's outputs. */
export async function edge() {
  const stack = pulumi.getStack();
  const raw = rawSettings(pulumi.runtime.allConfig());
  const settings = await explained(async () =>
    parseSettings({ ...raw, domain: raw.domain ?? (await localDomain(stack)) }, stack),
  );
  // A preview only reads; to make the machine, the host must be able to.
  if (!pulumi.runtime.isDryRun()) {
    await explained(() => assertHost());
    await rememberDomain(stack, settings.domain);
  }
  const release = await explained(() => buildRelease());
  const local = await explained(() => LocalEdge.create(stack, { settings, release }));
  return {
    url: local.url,
    ipv4: local.ipv4,
    ipv6: local.ipv6,
    release: release.hash,
    networkIndex: local.networkIndex,
    rootsFile: local.rootsFile,
  };
}
