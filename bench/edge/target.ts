import { readFile } from "node:fs/promises";
import { createSecureContext, type SecureContext } from "node:tls";
import type { Topology } from "../../cloud-init/topology.ts";
import type { Checkout, UpOutput } from "../../test/machine/support.ts";

/** A stack under measurement. */
export interface Target {
  readonly checkout: Checkout;
  readonly stack: string;
  readonly topology: Topology;
  readonly url: URL;
  readonly ipv4: string;
  readonly token: string;
  /** PEM, the roots of the stack's certificate. */
  readonly ca: string;
  /** Of the same roots: reading them for each connection would be the load. */
  readonly secureContext: SecureContext;
}

export async function targetOf(
  checkout: Checkout,
  stack: string,
  topology: Topology,
  { deployed, token }: UpOutput,
): Promise<Target> {
  const ca = await readFile(deployed.rootsFile, "utf8");
  return {
    ...{ checkout, stack, topology, ca, secureContext: createSecureContext({ ca }) },
    ...{ url: new URL(deployed.url), ipv4: deployed.ipv4, token: token?.token ?? "" },
  };
}

/** The machine that clients reach, or the one that terminates TLS, has the bans and runs the server: one machine with `terminate`. */
export type Role = "edge" | "server";

/** Runs a script on a machine as root. @returns its output @throws Error when it fails */
export async function runScript(target: Target, role: Role, script: string): Promise<string> {
  const { checkout, stack, topology } = target;
  const machine = topology === "passthrough" && role === "edge" ? ["--machine", "edge"] : [];
  const { code, stdout, stderr } = await checkout.cli(
    ...["shell", "--stack", stack, ...machine, "--", "bash", "-c", script],
  );
  if (code !== 0) throw new Error(`On the machine "${role}", this ended with ${code}: ${script}\n${stderr}`);
  return stdout.trim();
}

export const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));
