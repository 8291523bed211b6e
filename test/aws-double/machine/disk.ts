import { existsSync } from "node:fs";
import { mkdir, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../../infra/exec.ts";
import { inGuest, leader, stopGuest } from "../../../infra/local/guest.ts";
import { guestOfInstance } from "./instance.ts";
import { cloudOf } from "./plan.ts";

/**
 * A volume is a sparse file; attached, it is a loop device that the guest sees as EC2's NVMe disk, with the link under
 * /dev/disk/by-id that udev makes there from the volume's id.
 */
const fileOf = (home: string, volumeId: string) => join(home, "volumes", `${volumeId}.img`);

const DEVICE = "nvme1n1";
const linkOf = (volumeId: string) => `nvme-Amazon_Elastic_Block_Store_${volumeId.replace("-", "")}`;

/** @param snapshotId its source; "" for a blank volume */
export async function makeDisk(
  home: string,
  volumeId: string,
  gibibytes: number,
  snapshotId = "",
): Promise<void> {
  if (!cloudOf(home)) return;
  await mkdir(join(home, "volumes"), { recursive: true });
  const file = fileOf(home, volumeId);
  if (snapshotId) await copyDisk(home, snapshotId, volumeId);
  else await writeFile(file, "", { mode: 0o600 });
  await truncate(file, gibibytes * 2 ** 30);
}

/** The bytes at this moment, as after a power failure, without a guest's unwritten data. */
export async function copyDisk(home: string, from: string, to: string): Promise<void> {
  if (cloudOf(home)) await run("cp", ["--sparse=always", fileOf(home, from), fileOf(home, to)]);
}

export async function removeDisk(home: string, volumeId: string): Promise<void> {
  const file = fileOf(home, volumeId);
  if (!existsSync(file)) return;
  for (const loop of await loopsOf(file)) await run("losetup", ["-d", loop]);
  await rm(file, { force: true });
}

async function loopsOf(file: string): Promise<string[]> {
  const { stdout } = await run("losetup", ["--noheadings", "-O", "NAME", "-j", file]);
  return stdout
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}

export async function attachDisk(home: string, volumeId: string, instanceId: string): Promise<void> {
  if (!cloudOf(home)) return;
  const pid = await leader(guestOfInstance(home, instanceId));
  if (pid === undefined) return;
  const file = fileOf(home, volumeId);
  const loop = (await loopsOf(file))[0] ?? (await run("losetup", ["-f", "--show", file])).stdout.trim();
  const [major, minor] = (await run("stat", ["-c", "%Hr %Lr", loop])).stdout.trim().split(" ");
  const dev = `/proc/${pid}/root/dev`;
  await rm(join(dev, DEVICE), { force: true });
  await run("mknod", [join(dev, DEVICE), "b", major ?? "", minor ?? ""]);
  await mkdir(join(dev, "disk/by-id"), { recursive: true });
  await rm(join(dev, "disk/by-id", linkOf(volumeId)), { force: true });
  await symlink(`../../${DEVICE}`, join(dev, "disk/by-id", linkOf(volumeId)));
}

/**
 * Take a volume from an instance.
 * @param how what to do when it is mounted there: `ask` the instance, as a plain DetachVolume does, `stop` it first, or `force`.
 * @returns true when it stays busy.
 */
export async function detachDisk(
  home: string,
  volumeId: string,
  instanceId: string,
  how: "ask" | "stop" | "force",
): Promise<boolean> {
  if (!cloudOf(home)) return false;
  const guest = guestOfInstance(home, instanceId);
  if (how === "stop") await stopGuest(guest);
  const pid = await leader(guest);
  if (pid !== undefined) {
    const mounted = await inGuest(guest, ["findmnt", "-n", "-o", "TARGET", "-S", `/dev/${DEVICE}`], {
      accept: [0, 1],
    });
    if (mounted.stdout.trim() !== "") {
      if (how === "ask") return true;
      await inGuest(guest, ["umount", "--lazy", `/dev/${DEVICE}`]);
    }
    const dev = `/proc/${pid}/root/dev`;
    await rm(join(dev, "disk/by-id", linkOf(volumeId)), { force: true });
    await rm(join(dev, DEVICE), { force: true });
  }
  for (const loop of await loopsOf(fileOf(home, volumeId))) await run("losetup", ["-d", loop]);
  return false;
}
