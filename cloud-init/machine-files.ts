import { createHash } from "node:crypto";
import { AWS_PACKAGES, PACKAGES } from "./packages.ts";
import { renderFile } from "./render.ts";
import { checkMachineSettings, type MachineSettings } from "./settings.ts";

export type { MachineSettings } from "./settings.ts";

/** A file of the machine, owned by root. */
export interface MachineFile {
  /** Absolute path on the machine. */
  path: string;
  content: string;
  /** Four octal digits, e.g. `"0644"`. */
  mode: string;
  /** Default: `root`. */
  group?: string;
}

/** Path on the machine -> file under `cloud-init/`. Scripts (`/usr/local/sbin`) are executable. */
const SOURCES: Readonly<Record<string, string>> = {
  "/etc/apt/apt.conf.d/52mcp-edge": "files/etc/apt.conf",
  "/etc/default/nginx": "files/etc/nginx.default",
  "/etc/fail2ban/action.d/nftables-common.local": "files/fail2ban/nftables-common.local",
  "/etc/fail2ban/fail2ban.d/mcp-edge.local": "files/fail2ban/fail2ban.local",
  "/etc/fail2ban/filter.d/mcp-edge.conf": "files/fail2ban/filter.conf",
  "/etc/fail2ban/jail.d/mcp-edge.local": "files/fail2ban/jail.local.liquid",
  "/etc/letsencrypt/cli.ini": "files/certbot/cli.ini.liquid",
  "/etc/logrotate.d/nginx": "files/logrotate/nginx",
  "/etc/mcp-edge/edge.env": "files/env/edge.env.liquid",
  "/etc/mcp-edge/server.env": "files/env/server.env.liquid",
  "/etc/needrestart/conf.d/mcp-edge.conf": "files/etc/needrestart.conf",
  "/etc/needrestart/restart.d/mcp-edge@blue.service": "deploy/restart-colour",
  "/etc/needrestart/restart.d/mcp-edge@green.service": "deploy/restart-colour",
  "/etc/nftables.conf": "files/etc/nftables.conf",
  "/etc/nginx/mcp-edge/errors.conf": "files/nginx/mcp-edge/errors.conf",
  "/etc/nginx/mcp-edge/headers.conf": "files/nginx/mcp-edge/headers.conf",
  "/etc/nginx/mcp-edge/limits.conf": "files/nginx/mcp-edge/limits.conf.liquid",
  "/etc/nginx/mcp-edge/log.conf": "files/nginx/mcp-edge/log.conf.liquid",
  "/etc/nginx/mcp-edge/proxy.conf": "files/nginx/mcp-edge/proxy.conf",
  "/etc/nginx/mcp-edge/refusals.conf": "files/nginx/mcp-edge/refusals.conf.liquid",
  "/etc/nginx/mcp-edge/refusal.conf": "files/nginx/mcp-edge/refusal.conf",
  "/etc/nginx/mcp-edge/refused.conf": "files/nginx/mcp-edge/refused.conf",
  "/etc/nginx/mcp-edge/servers.conf": "files/nginx/mcp-edge/servers.conf.liquid",
  "/etc/nginx/mcp-edge/tls.conf": "files/nginx/mcp-edge/tls.conf",
  "/etc/nginx/nginx.conf": "files/nginx/nginx.conf",
  "/etc/ssh/sshd_config.d/10-mcp-edge.conf": "files/etc/sshd.conf",
  "/etc/sysctl.d/60-mcp-edge.conf": "files/etc/sysctl.conf",
  "/etc/systemd/journald.conf.d/mcp-edge.conf": "files/systemd/journald.conf",
  "/etc/systemd/system/mcp-edge-cert.service": "files/systemd/mcp-edge-cert.service",
  "/etc/systemd/system/mcp-edge-cert.timer": "files/systemd/mcp-edge-cert.timer",
  "/etc/systemd/system/mcp-edge-logrotate.service": "files/systemd/mcp-edge-logrotate.service",
  "/etc/systemd/system/mcp-edge-logrotate.timer": "files/systemd/mcp-edge-logrotate.timer",
  "/etc/systemd/system/mcp-edge-patches.service": "files/systemd/mcp-edge-patches.service",
  "/etc/systemd/system/mcp-edge-patches.timer": "files/systemd/mcp-edge-patches.timer",
  "/etc/systemd/system/mcp-edge-reboot.service": "files/systemd/mcp-edge-reboot.service",
  "/etc/systemd/system/mcp-edge-recover.service": "files/systemd/mcp-edge-recover.service",
  "/etc/systemd/system/mcp-edge-start.service": "files/systemd/mcp-edge-start.service",
  "/etc/systemd/system/mcp-edge-tls.service": "files/systemd/mcp-edge-tls.service",
  "/etc/systemd/system/mcp-edge-workspace.service": "files/systemd/mcp-edge-workspace.service",
  "/etc/systemd/system/mcp-edge-workspace.timer": "files/systemd/mcp-edge-workspace.timer",
  "/etc/systemd/system/mcp-edge.socket": "files/systemd/mcp-edge.socket",
  "/etc/systemd/system/mcp-edge@.service": "files/systemd/mcp-edge@.service",
  "/etc/systemd/system/nftables.service.d/mcp-edge.conf": "files/systemd/nftables.conf",
  "/etc/systemd/system/nginx.service.d/mcp-edge.conf": "files/systemd/nginx.conf",
  "/etc/sysusers.d/mcp-edge.conf": "files/systemd/sysusers.conf",
  "/etc/tmpfiles.d/mcp-edge.conf": "files/systemd/tmpfiles.conf",
  "/usr/local/lib/mcp-edge/apply.sh": "deploy/lib/apply.sh",
  "/usr/local/lib/mcp-edge/archive.sh": "deploy/lib/archive.sh",
  "/usr/local/lib/mcp-edge/common.sh": "deploy/lib/common.sh",
  "/usr/local/lib/mcp-edge/files.sh": "deploy/lib/files.sh",
  "/usr/local/lib/mcp-edge/packages.sh": "deploy/lib/packages.sh",
  "/usr/local/lib/mcp-edge/release.sh": "deploy/lib/release.sh",
  "/usr/local/sbin/mcp-edge-backup": "deploy/mcp-edge-backup",
  "/usr/local/sbin/mcp-edge-cert": "deploy/mcp-edge-cert",
  "/usr/local/sbin/mcp-edge-deploy": "deploy/mcp-edge-deploy",
  "/usr/local/sbin/mcp-edge-patches": "deploy/mcp-edge-patches",
  "/usr/local/sbin/mcp-edge-server": "deploy/mcp-edge-server",
  "/usr/local/sbin/mcp-edge-setup": "deploy/mcp-edge-setup",
  "/usr/local/sbin/mcp-edge-workspace": "deploy/mcp-edge-workspace",
};

/** Not with `rebootAt: off`. */
const REBOOT_SOURCES: Readonly<Record<string, string>> = {
  "/etc/systemd/system/mcp-edge-reboot.timer": "files/systemd/mcp-edge-reboot.timer.liquid",
};

/** What a machine on AWS has besides: it pulls its deployments. */
const AWS_SOURCES: Readonly<Record<string, string>> = {
  "/etc/ssh/sshd_config.d/20-mcp-edge-keys.conf": "files/etc/sshd-keys.conf",
  "/etc/systemd/system/mcp-edge-pull.service": "files/systemd/mcp-edge-pull.service",
  "/etc/systemd/system/mcp-edge-pull.timer": "files/systemd/mcp-edge-pull.timer",
  "/etc/systemd/system/mcp-edge-workspace.service.d/metadata.conf": "files/systemd/metadata.conf",
  "/etc/systemd/system/mcp-edge@.service.d/secrets.conf": "files/systemd/secrets.conf",
  "/etc/systemd/system/nginx.service.d/metadata.conf": "files/systemd/metadata.conf",
  "/usr/local/lib/mcp-edge/aws.sh": "deploy/lib/aws.sh",
  "/usr/local/lib/mcp-edge/boot.sh": "deploy/lib/boot.sh",
  "/usr/local/lib/mcp-edge/report.sh": "deploy/lib/report.sh",
  "/usr/local/sbin/mcp-edge-data": "deploy/mcp-edge-data",
  "/usr/local/sbin/mcp-edge-keys": "deploy/mcp-edge-keys",
  "/usr/local/sbin/mcp-edge-pull": "deploy/mcp-edge-pull",
};

const METRICS_SOURCES: Readonly<Record<string, string>> = {
  "/etc/systemd/system/mcp-edge-metrics.service": "files/systemd/mcp-edge-metrics.service",
  "/etc/systemd/system/mcp-edge-metrics.timer": "files/systemd/mcp-edge-metrics.timer",
  "/usr/local/sbin/mcp-edge-metrics": "deploy/mcp-edge-metrics",
};

const LOGS_SOURCES: Readonly<Record<string, string>> = {
  "/etc/systemd/system/mcp-edge-logs.service": "files/systemd/mcp-edge-logs.service",
  "/etc/systemd/system/mcp-edge-logs.timer": "files/systemd/mcp-edge-logs.timer",
  "/usr/local/lib/mcp-edge/logs/__init__.py": "deploy/lib/logs/__init__.py",
  "/usr/local/lib/mcp-edge/logs/batches.py": "deploy/lib/logs/batches.py",
  "/usr/local/lib/mcp-edge/logs/cloudwatch.py": "deploy/lib/logs/cloudwatch.py",
  "/usr/local/lib/mcp-edge/logs/files.py": "deploy/lib/logs/files.py",
  "/usr/local/lib/mcp-edge/logs/journal.py": "deploy/lib/logs/journal.py",
  "/usr/local/lib/mcp-edge/logs/state.py": "deploy/lib/logs/state.py",
  "/usr/local/sbin/mcp-edge-logs": "deploy/mcp-edge-logs",
};

function sourcesFor({ aws, rebootAt }: MachineSettings): Readonly<Record<string, string>> {
  const everywhere = { ...SOURCES, ...(rebootAt === "off" ? {} : REBOOT_SOURCES) };
  if (!aws) return everywhere;
  return {
    ...everywhere,
    ...AWS_SOURCES,
    ...(aws.metrics ? METRICS_SOURCES : {}),
    ...(aws.logs ? LOGS_SOURCES : {}),
  };
}

/**
 * All files of a machine, sorted by path: the same settings give the same bytes.
 *
 * @throws Error when a setting cannot stand in a configuration file, or a template names an unknown variable.
 */
export function machineFiles(settings: MachineSettings): MachineFile[] {
  checkMachineSettings(settings);
  const files: MachineFile[] = Object.entries(sourcesFor(settings)).map(([path, source]) => ({
    path,
    content: renderFile(source, settings),
    mode: /^\/usr\/local\/sbin\/|\/restart\.d\//.test(path) ? "0755" : "0644",
  }));
  const packages = settings.aws ? [...PACKAGES, ...AWS_PACKAGES].sort() : PACKAGES;
  files.push({ path: "/usr/local/lib/mcp-edge/packages", content: `${packages.join("\n")}\n`, mode: "0644" });
  if (settings.trustedCa !== undefined)
    files.push({
      path: "/usr/local/share/ca-certificates/mcp-edge-acme.crt",
      content: settings.trustedCa,
      mode: "0644",
    });
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** One line a file, `sha256 mode group path`: what `mcp-edge-deploy files` verifies on the machine. */
export function manifest(files: readonly MachineFile[]): string {
  const line = (file: MachineFile) =>
    `${createHash("sha256").update(file.content).digest("hex")} ${file.mode} ${file.group ?? "root"} ${file.path}\n`;
  return files.map(line).sort().join("");
}

/** Hash of a set of files, in hex: the sha256 of its manifest. It names the archive `files-<hash>.tar`. */
export function filesHash(files: readonly MachineFile[]): string {
  return createHash("sha256").update(manifest(files)).digest("hex");
}
