import { readFile, rename, stat, writeFile } from "node:fs/promises";

const HOSTS = "/etc/hosts";

const marker = (stack: string) => `# mcp-edge ${stack}`;

/** The hosts file with this stack's lines replaced by `addresses` (none: taken out). Pure. */
export function withHosts(text: string, stack: string, domain: string, addresses: string[]): string {
  const others = text.split("\n").filter((line) => !line.endsWith(` ${marker(stack)}`));
  while (others.at(-1) === "") others.pop();
  const ours = addresses.map((address) => `${address} ${domain} ${marker(stack)}`);
  return `${[...others, ...ours].join("\n")}\n`;
}

async function update(change: (text: string) => string): Promise<void> {
  const before = await readFile(HOSTS, "utf8");
  const after = change(before);
  if (after === before) return;
  // Containers bind-mount /etc/hosts: a rename over it is refused there, and only there.
  const temporary = `${HOSTS}.mcp-edge`;
  try {
    await writeFile(temporary, after, { mode: (await stat(HOSTS)).mode });
    await rename(temporary, HOSTS);
  } catch {
    await writeFile(HOSTS, after);
  }
}

/** Make `domain` resolve to the machine on this host, for browsers and MCP clients alike. */
export const addHosts = (stack: string, domain: string, addresses: string[]) =>
  update((text) => withHosts(text, stack, domain, addresses));

export const removeHosts = (stack: string) => update((text) => withHosts(text, stack, "", []));

export async function hostsProblem(stack: string, domain: string, addresses: string[]) {
  const text = await readFile(HOSTS, "utf8");
  return withHosts(text, stack, domain, addresses) === text ? undefined : "its /etc/hosts lines are gone";
}
