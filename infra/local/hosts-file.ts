import { createHash } from "node:crypto";
import { readFile, rename, stat, writeFile } from "node:fs/promises";
import { home } from "../paths.ts";

const HOSTS = "/etc/hosts";

/** Marks the lines of one stack of one checkout, since two checkouts on one host may have stacks of the same name. */
export const markerOf = (stack: string, folder = home) =>
  `# mcp-edge ${stack} ${createHash("sha256").update(folder).digest("hex").slice(0, 8)}`;

/**
 * The hosts file with the lines of `marker` replaced by `addresses`, or removed if there are none. Pure.
 * @param names host names with blanks between them, as hosts(5) has them
 */
export function withHosts(text: string, marker: string, names: string, addresses: string[]): string {
  const others = text.split("\n").filter((line) => !line.endsWith(` ${marker}`));
  while (others.at(-1) === "") others.pop();
  const ours = addresses.map((address) => `${address} ${names} ${marker}`);
  return `${[...others, ...ours].join("\n")}\n`;
}

async function update(change: (text: string) => string): Promise<void> {
  const before = await readFile(HOSTS, "utf8");
  const after = change(before);
  if (after === before) return;
  // In containers /etc/hosts is a bind mount, which a rename cannot replace.
  const temporary = `${HOSTS}.mcp-edge`;
  try {
    await writeFile(temporary, after, { mode: (await stat(HOSTS)).mode });
    await rename(temporary, HOSTS);
  } catch {
    await writeFile(HOSTS, after);
  }
}

/** Makes the names resolve to the machine on this host, for browsers and MCP clients. */
export const addHosts = (stack: string, names: string, addresses: string[]) =>
  update((text) => withHosts(text, markerOf(stack), names, addresses));

export const removeHosts = (stack: string) => update((text) => withHosts(text, markerOf(stack), "", []));

export async function hostsProblem(stack: string, names: string, addresses: string[]) {
  const text = await readFile(HOSTS, "utf8");
  return withHosts(text, markerOf(stack), names, addresses) === text
    ? undefined
    : "its /etc/hosts lines are gone";
}
