import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stackFolder } from "../../infra/paths.ts";

/** A stack's outputs, kept beside it so that `doctor`, `token` and `logs` need no engine. */
export interface Deployed {
  stack: string;
  url: string;
  ipv4: string;
  ipv6: string;
  release: string;
  networkIndex: number;
  rootsFile: string;
}

const file = (stack: string) => join(stackFolder(stack), "outputs.json");

export const rememberDeployed = (deployed: Deployed) =>
  writeFile(file(deployed.stack), JSON.stringify(deployed, null, 2));

/** @throws Error that names the command when the stack is not up. */
export async function readDeployed(stack: string): Promise<Deployed> {
  const text = await readFile(file(stack), "utf8").catch(() => "");
  if (text) return JSON.parse(text);
  const flag = stack === "local" ? "" : ` -- --stack ${stack}`;
  throw new Error(`Stack ${stack} is not up on this host. Bring it up: npm run up${flag}`);
}
