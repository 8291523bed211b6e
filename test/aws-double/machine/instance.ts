import { existsSync } from "node:fs";
import { appendFile, chmod, copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tail } from "../../../infra/local/daemon.ts";
import {
  consoleLog,
  freshIdentity,
  type Guest,
  isRunning,
  machineFolder,
  mountRoot,
  nspawnArguments,
  rootOf,
  startGuest,
  stopGuest,
  waitForInit,
} from "../../../infra/local/guest.ts";
import { discard } from "../../../infra/local/machine.ts";
import { networkOf } from "../../../infra/local/network.ts";
import { ensureRootfs } from "../../../infra/local/rootfs.ts";
import { nameservers } from "../../../infra/local/seed.ts";
import { stackFolder } from "../../../infra/paths.ts";
import { ACME_HOSTS, acmeAuthorityFile } from "./acme.ts";
import { cloudOf, partOf } from "./plan.ts";

/** An instance is a Debian 13 guest in systemd-nspawn, as in infra/local, with other addresses, another identity and another disk. */
export interface InstancePlan {
  id: string;
  ipv4: string;
  /** "" when the subnet has no IPv6. */
  ipv6: string;
  userData: Buffer;
  architecture: "arm64" | "x86_64";
}

/** Two guests may share the bridge while one replaces the other, so each is named by its instance. */
export function guestOfInstance(home: string, id: string): Guest {
  const index = cloudOf(home)?.networkIndex ?? 0;
  return { stack: id, name: `mcpe${index}-${id.slice(-6)}`, bridge: networkOf(index).bridge };
}

function networkConfig(plan: InstancePlan, resolvers: string[]): object {
  const { range, router } = partOf(plan.ipv4);
  const prefix6 = plan.ipv6.replace(/::?[0-9a-f]*$/, "");
  const six = plan.ipv6 !== "";
  return {
    version: 2,
    ethernets: {
      host0: {
        dhcp4: false,
        dhcp6: false,
        "accept-ra": false,
        addresses: [`${plan.ipv4}/${range.split("/")[1]}`, ...(six ? [`${plan.ipv6}/64`] : [])],
        routes: [{ to: "0.0.0.0/0", via: router }, ...(six ? [{ to: "::/0", via: `${prefix6}::1` }] : [])],
        nameservers: { addresses: resolvers },
      },
    },
  };
}

async function writeSeed(plan: InstancePlan): Promise<void> {
  const folder = join(rootOf(plan.id), "var/lib/cloud/seed/nocloud");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const config = networkConfig(plan, await nameservers());
  const hostname = `ip-${plan.ipv4.replaceAll(".", "-")}`;
  await writeFile(join(folder, "network-config"), JSON.stringify(config));
  await writeFile(
    join(folder, "meta-data"),
    JSON.stringify({ "instance-id": plan.id, "local-hostname": hostname }),
  );
  await writeFile(join(folder, "user-data"), plan.userData, { mode: 0o600 });
}

/** Let's Encrypt's names resolve to the local ACME server, whose certificate the image trusts. The program does not know that. */
async function teachNames(home: string, index: number, id: string): Promise<void> {
  const root = rootOf(id);
  const { net4 } = networkOf(index);
  await writeFile(
    join(root, "etc/hosts"),
    `127.0.0.1 localhost\n::1 localhost\n${net4}.1 ${ACME_HOSTS.join(" ")}\n`,
  );
  const authority = await readFile(acmeAuthorityFile(home), "utf8");
  const folder = join(root, "usr/local/share/ca-certificates");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "aws-double.crt"), authority);
  await appendFile(join(root, "etc/ssl/certs/ca-certificates.crt"), authority);
}

/** The machine looks for a deployment every second instead of every ten: the tests wait for it many times. */
async function pullOften(id: string): Promise<void> {
  const dropIn = async (unit: string, ...lines: string[]) => {
    const folder = join(rootOf(id), `etc/systemd/system/${unit}.d`);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "aws-double.conf"), `${lines.join("\n")}\n`);
  };
  const often = ["OnBootSec=", "OnBootSec=1s", "OnUnitInactiveSec=1s", "AccuracySec=200ms"];
  await dropIn("mcp-edge-pull.timer", "[Timer]", ...often);
  // systemd allows five starts in ten seconds.
  await dropIn("mcp-edge-pull.service", "[Unit]", "StartLimitIntervalSec=0");
}

/**
 * The account of Debian's image for EC2, which may become root. `sudo` is not in the local root filesystem: a copy of setpriv(1) that
 * belongs to root and runs as it (setuid) takes its place.
 */
async function addAccount(id: string): Promise<void> {
  const root = rootOf(id);
  const account = { name: "admin", gecos: "Debian", lock_passwd: true, shell: "/bin/bash" };
  const config = join(root, "etc/cloud/cloud.cfg.d/99-aws-double.cfg");
  await writeFile(config, JSON.stringify({ system_info: { default_user: account } }));
  const setpriv = join(root, "usr/local/libexec/setpriv");
  await mkdir(join(setpriv, ".."), { recursive: true });
  await copyFile(join(root, "usr/bin/setpriv"), setpriv);
  await chmod(setpriv, 0o4755);
  // The `secure_path` of Debian's /etc/sudoers.
  const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  const sudo = `#!/bin/sh\n${path} exec /usr/local/libexec/setpriv --reuid=0 --regid=0 --clear-groups "$@"\n`;
  await writeFile(join(root, "usr/local/bin/sudo"), sudo, { mode: 0o755 });
}

/** Boots an instance. It returns when init accepts commands, since EC2 reports "running" long before cloud-init is done. */
export async function bootInstance(home: string, plan: InstancePlan): Promise<void> {
  const cloud = cloudOf(home);
  if (!cloud) return;
  const here = process.arch === "arm64" ? "arm64" : "x86_64";
  if (plan.architecture !== here)
    throw new Error(`The double boots ${here} on this host, not ${plan.architecture}: set the architecture.`);
  const rootfs = await ensureRootfs(() => {});
  await mountRoot(plan.id, rootfs.path);
  await freshIdentity(plan.id);
  await writeSeed(plan);
  await teachNames(home, cloud.networkIndex, plan.id);
  await pullOften(plan.id);
  await addAccount(plan.id);
  const guest = guestOfInstance(home, plan.id);
  await startGuest(guest, ownDisk(nspawnArguments(guest, rootOf(plan.id), "")));
  if (!(await waitForInit(guest)))
    throw new Error(
      `Instance ${plan.id} did not boot. Its console:\n  ${await tail(consoleLog(plan.id), 25)}`,
    );
}

/** The instance mounts a volume for its data, instead of a folder of the host. */
const ownDisk = (args: string[]) => args.filter((arg) => !arg.startsWith("--bind="));

/** Whether it runs; undefined if nothing boots here. */
export async function instanceRuns(home: string, id: string): Promise<boolean | undefined> {
  if (!cloudOf(home)) return undefined;
  return isRunning(guestOfInstance(home, id));
}

export async function terminateInstance(home: string, id: string): Promise<void> {
  if (!cloudOf(home) || !existsSync(machineFolder(id))) return;
  await stopGuest(guestOfInstance(home, id));
  await discard(id);
  await rm(stackFolder(id), { recursive: true, force: true });
}
