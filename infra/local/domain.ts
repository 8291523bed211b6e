import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stackFolder } from "../paths.ts";

const recordOf = (stack: string) => join(stackFolder(stack), "domain");

/** The first of `<stack>.mcp-edge.test`, `<stack>-2.mcp-edge.test` … that the hosts file does not name. Pure. */
export function freeDomain(stack: string, hosts: string): string {
  const taken = new Set(
    hosts.split("\n").flatMap((line) => (line.split("#")[0] ?? "").trim().split(/\s+/).slice(1)),
  );
  for (let number = 1; ; number++) {
    const domain = `${number === 1 ? stack : `${stack}-${number}`}.mcp-edge.test`;
    if (!taken.has(domain)) return domain;
  }
}

/** The domain of a local stack without the setting. Another checkout on this host may use the first one. */
export async function localDomain(stack: string): Promise<string> {
  const known = await readFile(recordOf(stack), "utf8").catch(() => "");
  return known || freeDomain(stack, await readFile("/etc/hosts", "utf8"));
}

/** Records the domain for the life of the stack. */
export const rememberDomain = (stack: string, domain: string) => writeFile(recordOf(stack), domain);
