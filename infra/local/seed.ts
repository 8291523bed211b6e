import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { machineAddress, type Network, originAddress } from "./network.ts";

/**
 * cloud-init's network-config, version 2. `host0` is the name systemd-nspawn gives the guest's end of the link.
 *
 * @param isOrigin behind a forwarder
 */
export function networkConfig(network: Network, nameservers: string[], isOrigin = false): object {
  const own = isOrigin ? originAddress(network) : machineAddress(network);
  const [bits4, bits6] = isOrigin ? [31, 127] : [24, 64];
  const gateway = isOrigin
    ? machineAddress(network)
    : { ipv4: `${network.net4}.1`, ipv6: `${network.net6}::1` };
  return {
    version: 2,
    ethernets: {
      host0: {
        dhcp4: false,
        dhcp6: false,
        "accept-ra": false,
        addresses: [`${own.ipv4}/${bits4}`, `${own.ipv6}/${bits6}`],
        routes: [
          { to: "0.0.0.0/0", via: gateway.ipv4 },
          { to: "::/0", via: gateway.ipv6 },
        ],
        nameservers: { addresses: nameservers },
      },
    },
  };
}

/** The resolvers that a guest can reach. systemd-resolved's stub on 127.0.0.53 answers only the host, so its uplinks are used. */
export async function nameservers(): Promise<string[]> {
  const uplinks = "/run/systemd/resolve/resolv.conf";
  const file = existsSync(uplinks) ? uplinks : "/etc/resolv.conf";
  const text = await readFile(file, "utf8").catch(() => "");
  const found = [...text.matchAll(/^nameserver\s+(\S+)/gm)].map((match) => match[1] as string);
  return found.filter(
    (address) => !address.startsWith("127.") && address !== "::1" && !address.includes("%"),
  );
}

/**
 * Writes the NoCloud seed. The instance id includes the network, since cloud-init applies a changed network-config only
 * to an instance id that it does not know.
 */
export async function writeSeed(
  root: string,
  stack: string,
  network: Network,
  userData: Buffer,
  isOrigin: boolean,
): Promise<void> {
  const folder = join(root, "var/lib/cloud/seed/nocloud");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const config = JSON.stringify(networkConfig(network, await nameservers(), isOrigin), null, 1);
  const id = createHash("sha256").update(config).digest("hex").slice(0, 8);
  // JSON is YAML.
  const name = `mcp-edge-${stack.replace("/", "-")}`;
  const meta = { "instance-id": `${name}-${id}`, "local-hostname": name };
  await writeFile(join(folder, "network-config"), config);
  await writeFile(join(folder, "meta-data"), JSON.stringify(meta));
  await writeFile(join(folder, "user-data"), userData, { mode: 0o600 });
}
