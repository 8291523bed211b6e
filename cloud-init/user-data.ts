import { gzipSync } from "node:zlib";
import { machineFiles } from "./machine-files.ts";
import type { MachineSettings } from "./settings.ts";
import type { Role } from "./topology.ts";

/** EC2 takes at most this many bytes of user-data, counted before base64 (EC2 user guide, "instance user data"). */
export const USER_DATA_LIMIT = 16_384;

/**
 * The cloud-init document for the first boot of a local machine: it writes all files and runs one script. A machine on AWS pulls its files
 * (aws-user-data.ts). JSON is YAML without indentation hazards. No `packages:` module: without a network it blocks for minutes. The
 * script installs only what is missing.
 *
 * @param release sha256 of the release to start; `""`: none yet, or none on a machine without the role `app`.
 * @param roles default: those of the one machine of `edge: terminate`
 */
export function userData(settings: MachineSettings, release: string, roles?: readonly Role[]): string {
  if (!/^([0-9a-f]{64})?$/.test(release))
    throw new Error(`The release is ${JSON.stringify(release)}, not a sha256 of 64 hex digits.`);
  const files = [
    ...machineFiles(settings, roles),
    { path: "/etc/mcp-edge/release", content: `${release}\n`, mode: "0644" },
  ];
  const document = {
    write_files: files.map(({ path, content, mode }) => ({ path, content, permissions: mode })),
    // Nobody logs in over SSH: its keys are noise on the console, which is what a failed boot shows.
    no_ssh_fingerprints: true,
    ssh: { emit_keys_to_console: false },
    runcmd: [["/usr/local/sbin/mcp-edge-setup"]],
  };
  return `#cloud-config\n${JSON.stringify(document, null, 1)}\n`;
}

/**
 * The document as the machine gets it, gzipped; cloud-init unpacks it itself.
 *
 * @param limit most bytes that the machine's data source takes. Default: EC2's. The local machine reads a file of any size.
 * @throws Error when it is over the limit.
 */
export function gzipUserData(document: string, limit = USER_DATA_LIMIT): Buffer {
  const packed = gzipSync(document, { level: 9 });
  if (packed.length > limit)
    throw new Error(
      `The user-data has ${packed.length} bytes after gzip; EC2 takes ${limit}. ` +
        "Make a file under cloud-init/ shorter, or let the machine fetch it.",
    );
  return packed;
}
