import { BUNDLED_SERVER } from "./app.ts";
import {
  dropIn,
  enabled,
  type FileRow,
  fail2ban,
  file,
  library,
  nginx,
  onNeedrestart,
  script,
  TERMINATORS,
  unit,
} from "./file-row.ts";
import { packagesOf } from "./packages.ts";
import type { MachineSettings } from "./settings.ts";

const onAws = ({ aws }: MachineSettings) => aws !== undefined;
const withMetrics = ({ aws }: MachineSettings) => aws?.metrics === true;
const withLogs = ({ aws }: MachineSettings) => aws?.logs === true;
/** The server fetches keys and documents of clients (oauth), or the keys of the issuer (jwt). */
const withSignIn = ({ serverEnvironment }: MachineSettings) =>
  ["oauth", "jwt"].includes(serverEnvironment.AUTH_MODE ?? "");
const withIdentityProviders = ({ serverEnvironment }: MachineSettings) =>
  serverEnvironment.IDENTITY_PROVIDERS !== undefined;
const withNginxForward = ({ forward }: MachineSettings) => forward === "nginx";
const withReboots = ({ rebootAt }: MachineSettings) => rebootAt !== "off";

const firewall = {
  change: ["load-firewall"],
  validator: "nft",
  enables: "nftables.service",
} as const;

/** The most generations of NGINX or Caddy that run at a time (`deploy/lib/generations.sh`). */
const GENERATIONS = Array.from({ length: 12 }, (_, index) => index + 1);

/** A replaced library is a change like any other: the next generation takes the new flows. */
const generationsOnNeedrestart = (program: "nginx" | "caddy") =>
  GENERATIONS.map((n) => onNeedrestart(`${program}@${n}.service`, "restart-generation", program));

const python = { validator: "python", when: withLogs } as const;
const slotUnit = `${BUNDLED_SERVER.unit}@.service`;
const socket = `${BUNDLED_SERVER.unit}.socket`;

/** Every file of a machine, but for the table itself (`FILE_TABLE`) and what only user-data writes. */
export const FILES: readonly FileRow[] = [
  // NGINX
  nginx("nginx.conf", ".liquid", { enables: "nginx.service" }),
  nginx("mcp-edge/allowed.conf", ".liquid"),
  nginx("mcp-edge/clients.conf", ".liquid"),
  nginx("mcp-edge/errors.conf"),
  nginx("mcp-edge/headers.conf"),
  nginx("mcp-edge/limits.conf", ".liquid"),
  nginx("mcp-edge/log.conf", ".liquid"),
  nginx("mcp-edge/proxy.conf"),
  nginx("mcp-edge/refusal.conf"),
  nginx("mcp-edge/refusals.conf", ".liquid"),
  nginx("mcp-edge/refused.conf"),
  nginx("mcp-edge/servers.conf", ".liquid"),
  nginx("mcp-edge/tls.conf", ".liquid"),
  nginx("mcp-edge/upstreams.conf", ".liquid"),
  file("/etc/default/nginx", "files/etc/nginx.default", "nginx"),
  file("/etc/logrotate.d/nginx", "files/logrotate/nginx", "nginx"),
  dropIn("nginx.service.d/mcp-edge.conf", "nginx.conf", "nginx"),
  dropIn("nginx.service.d/metadata.conf", "metadata.conf", "nginx", [], onAws),
  unit("nginx@.service", "nginx", { change: ["daemon-reload", "reload-nginx"] }),
  dropIn("nginx@.service.d/metadata.conf", "metadata.conf", "nginx", ["reload-nginx"], onAws),
  script("mcp-edge-nginx", "nginx"),
  enabled("mcp-edge-nginx.timer", "nginx"),
  unit("mcp-edge-nginx.service", "nginx"),
  ...generationsOnNeedrestart("nginx"),

  // Caddy
  file("/etc/caddy/Caddyfile", "files/caddy/Caddyfile.liquid", "caddy", {
    change: ["reload-caddy"],
    validator: "caddy",
    enables: "caddy.service",
  }),
  dropIn("caddy.service.d/mcp-edge.conf", "caddy.conf", "caddy"),
  unit("caddy@.service", "caddy", { change: ["daemon-reload", "reload-caddy"] }),
  dropIn("caddy@.service.d/metadata.conf", "metadata.conf", "caddy", ["reload-caddy"], onAws),
  script("mcp-edge-caddy", "caddy"),
  enabled("mcp-edge-caddy.timer", "caddy"),
  unit("mcp-edge-caddy.service", "caddy"),
  ...generationsOnNeedrestart("caddy"),
  file("/etc/logrotate.d/caddy", "files/logrotate/caddy", "caddy"),
  dropIn("mcp-edge-logrotate.service.d/caddy.conf", "logrotate-caddy.conf", "caddy"),
  dropIn("mcp-edge-report.service.d/certificate.conf", "read-certificate.conf", "caddy"),
  dropIn("mcp-edge-pull.service.d/certificate.conf", "read-certificate.conf", "caddy", [], onAws),
  dropIn("mcp-edge-metrics.service.d/certificate.conf", "read-certificate.conf", "caddy", [], withMetrics),
  file("/etc/apt/sources.list.d/mcp-edge-backports.sources", "files/etc/backports.sources", "caddy"),
  file("/etc/apt/preferences.d/mcp-edge", "files/etc/backports.preferences", "caddy"),
  file("/etc/apt/apt.conf.d/53mcp-edge-backports", "files/etc/apt-backports.conf", "caddy"),

  // The forwarder
  file("/etc/sysctl.d/61-mcp-edge-forwarder.conf", "files/etc/sysctl-forwarder.conf", "forwarder", {
    change: ["load-sysctl"],
  }),
  file("/etc/nginx/nginx.conf", "files/forwarder/nginx.conf.liquid", "forwarder", {
    change: ["reload-nginx"],
    validator: "nginx",
    enables: "nginx.service",
    when: withNginxForward,
  }),
  file("/etc/logrotate.d/nginx", "files/logrotate/nginx", "forwarder", { when: withNginxForward }),
  enabled("mcp-edge-logrotate.timer", "forwarder", { when: withNginxForward }),
  unit("mcp-edge-logrotate.service", "forwarder", { when: withNginxForward }),
  dropIn("nginx.service.d/mcp-edge.conf", "nginx-forwarder.conf", "forwarder", [], withNginxForward),
  enabled("mcp-edge-transparent.service", "forwarder", { when: withNginxForward }),

  // Certificates
  file("/etc/letsencrypt/cli.ini", "files/certbot/cli.ini.liquid", "nginx", {
    change: ["request-certificate"],
  }),
  dropIn("certbot.service.d/mcp-edge.conf", "certbot.conf", "nginx"),
  enabled("mcp-edge-cert.service", "nginx"),
  enabled("mcp-edge-cert.timer", "nginx"),
  enabled("mcp-edge-tls.service", "nginx"),
  script("mcp-edge-cert", "nginx"),
  script("mcp-edge-ari", "nginx", { validator: "python" }),
  script("mcp-edge-dns01", "nginx", { when: onAws }),
  library("acme.sh", { role: "nginx" }),
  library("nginx-certificate.sh", { role: "nginx" }),
  file("/usr/local/share/ca-certificates/mcp-edge-acme.crt", ({ trustedCa }) => trustedCa ?? "", "all", {
    change: ["update-ca-certificates"],
    when: ({ trustedCa }) => trustedCa !== undefined,
  }),

  // Firewall and bans
  file("/etc/nftables.conf", "files/etc/nftables.conf.liquid", "nginx", firewall),
  file("/etc/nftables.conf", "files/etc/nftables-forwarder.conf.liquid", "forwarder", firewall),
  file("/etc/nftables.conf", "files/etc/nftables-origin.conf", "caddy", firewall),
  dropIn("nftables.service.d/mcp-edge.conf", "nftables.conf", "all"),
  fail2ban("action.d/nftables-common.local", "nftables-common.local"),
  fail2ban("fail2ban.d/mcp-edge.local", "fail2ban.local"),
  fail2ban("filter.d/mcp-edge-credentials.conf", "credentials.conf", { role: "nginx" }),
  fail2ban("filter.d/mcp-edge-credentials.conf", "credentials-caddy.conf", { role: "caddy" }),
  fail2ban("filter.d/mcp-edge-handshakes.conf", "handshakes.conf", { role: "nginx" }),
  fail2ban("filter.d/mcp-edge-handshakes.conf", "handshakes-caddy.conf", { role: "caddy" }),
  fail2ban("filter.d/mcp-edge-suspects.conf", "suspects.conf", { role: "nginx" }),
  fail2ban("filter.d/mcp-edge-suspects.conf", "suspects-caddy.conf", { role: "caddy" }),
  fail2ban("filter.d/recidive.local", "recidive.local"),
  fail2ban("jail.d/mcp-edge.local", "jail.local.liquid", { enables: "fail2ban.service" }),
  dropIn("fail2ban.service.d/mcp-edge.conf", "fail2ban.conf", TERMINATORS, ["restart-fail2ban"]),
  file("/etc/logrotate.d/fail2ban", "files/logrotate/fail2ban", TERMINATORS),
  script("mcp-edge-bans", TERMINATORS, { validator: "python" }),
  enabled("mcp-edge-restore-bans.service", TERMINATORS),

  enabled("mcp-edge-logrotate.timer", TERMINATORS),
  unit("mcp-edge-logrotate.service", TERMINATORS),
  enabled("mcp-edge-report.timer", TERMINATORS),
  unit("mcp-edge-report.service", TERMINATORS),
  script("mcp-edge-report", TERMINATORS),

  // The server
  file("/etc/mcp-edge/server.env", "files/env/server.env.liquid", "app", { change: ["take-over"] }),
  unit(slotUnit, "app", {
    source: "files/systemd/slot.service.liquid",
    change: ["daemon-reload", "take-over"],
  }),
  dropIn(`${slotUnit}.d/sandbox.conf`, "sandbox.conf", "app", ["take-over"]),
  dropIn(`${slotUnit}.d/outbound.conf`, "outbound.conf", "app", ["take-over"], withSignIn),
  dropIn(
    `${slotUnit}.d/identity-providers.conf`,
    "identity-providers.conf",
    "app",
    ["take-over"],
    withIdentityProviders,
  ),
  dropIn(`${slotUnit}.d/secrets.conf`, "secrets.conf", "app", ["take-over"], onAws),
  enabled(socket, "app", {
    source: "files/systemd/slot.socket.liquid",
    change: ["daemon-reload", "restart-socket"],
  }),
  enabled("mcp-edge-start.service", "app", { source: "files/systemd/mcp-edge-start.service.liquid" }),
  script("mcp-edge-server", "app"),
  onNeedrestart(`${BUNDLED_SERVER.unit}@blue.service`, "restart-slot", "app"),
  onNeedrestart(`${BUNDLED_SERVER.unit}@green.service`, "restart-slot", "app"),

  // The workspace
  enabled("mcp-edge-workspace.timer", "app"),
  unit("mcp-edge-workspace.service", "app"),
  dropIn("mcp-edge-workspace.service.d/metadata.conf", "metadata.conf", "app", [], onAws),
  script("mcp-edge-workspace", "app"),

  // Deployments
  enabled("mcp-edge-recover.service", "all"),
  script("mcp-edge-deploy", "all"),
  script("mcp-edge-setup", "all"),
  script("mcp-edge-backup", "all"),
  library("app.sh", { source: "deploy/lib/app.sh.liquid" }),
  library("apply.sh"),
  library("archive.sh"),
  library("certificate.sh"),
  library("common.sh"),
  library("files.sh"),
  library("generations.sh", { role: TERMINATORS }),
  library("validate.sh"),
  library("packages.sh"),
  library("release.sh"),

  // The system
  file("/etc/mcp-edge/edge.env", "files/env/edge.env.liquid", "all", {
    change: ["request-certificate", "update-workspace"],
  }),
  ...(["nginx", "forwarder", "caddy"] as const).map((role) =>
    file(
      "/usr/local/lib/mcp-edge/packages",
      ({ aws, forward }) => `${packagesOf(role, { inAws: aws !== undefined, forward }).join("\n")}\n`,
      role,
      { change: ["install-packages"] },
    ),
  ),
  file("/etc/apt/apt.conf.d/52mcp-edge", "files/etc/apt.conf", "all"),
  file("/etc/needrestart/conf.d/mcp-edge.conf", "files/etc/needrestart.conf", "all"),
  file("/etc/ssh/sshd_config.d/10-mcp-edge.conf", "files/etc/sshd.conf", "all", {
    change: ["reload-sshd"],
    validator: "sshd",
  }),
  file("/etc/modules-load.d/mcp-edge.conf", "files/etc/modules-load.conf", "all"),
  file("/etc/sysctl.d/60-mcp-edge.conf", "files/etc/sysctl.conf", "all", { change: ["load-sysctl"] }),
  file("/etc/systemd/journald.conf.d/mcp-edge.conf", "files/systemd/journald.conf", "all", {
    change: ["restart-journald"],
  }),
  file("/etc/sysusers.d/mcp-edge.conf", "files/systemd/sysusers.conf", "all", {
    change: ["create-accounts"],
  }),
  file("/etc/tmpfiles.d/mcp-edge.conf", "files/systemd/tmpfiles.conf", ["nginx", "forwarder"], {
    change: ["create-folders"],
  }),
  file("/etc/tmpfiles.d/mcp-edge.conf", "files/systemd/tmpfiles-caddy.conf.liquid", "caddy", {
    change: ["create-folders"],
  }),
  dropIn("mcp-edge-.service.d/sandbox.conf", "sandbox.conf", "all"),
  enabled("mcp-edge-patches.timer", "all"),
  unit("mcp-edge-patches.service", "all"),
  script("mcp-edge-patches", "all"),
  unit("mcp-edge-reboot.service", "all"),
  enabled("mcp-edge-reboot.timer", "all", {
    source: "files/systemd/mcp-edge-reboot.timer.liquid",
    when: withReboots,
  }),

  // AWS: the machine pulls its deployments
  file("/etc/ssh/sshd_config.d/20-mcp-edge-keys.conf", "files/etc/sshd-keys.conf", "all", {
    change: ["reload-sshd"],
    validator: "sshd",
    when: onAws,
  }),
  enabled("mcp-edge-pull.timer", "all", { when: onAws }),
  unit("mcp-edge-pull.service", "all", { when: onAws }),
  // A transient unit: there is nothing to verify while it does not run.
  {
    ...dropIn("mcp-edge-pull-change.service.d/sandbox.conf", "no-sandbox.conf", "all", [], onAws),
    validator: "none",
  },
  library("aws.sh", { when: onAws }),
  library("boot.sh", { when: onAws }),
  library("report.sh", { when: onAws }),
  script("mcp-edge-data", "all", { when: onAws }),
  script("mcp-edge-keys", "all", { when: onAws }),
  script("mcp-edge-pull", "all", { when: onAws }),
  enabled("mcp-edge-metrics.timer", "all", { when: withMetrics }),
  unit("mcp-edge-metrics.service", "all", { when: withMetrics }),
  script("mcp-edge-metrics", "all", { when: withMetrics }),
  enabled("mcp-edge-logs.timer", "all", { when: withLogs }),
  unit("mcp-edge-logs.service", "all", { when: withLogs }),
  library("logs/__init__.py", python),
  library("logs/batches.py", python),
  library("logs/cloudwatch.py", python),
  library("logs/files.py", python),
  library("logs/journal.py", python),
  library("logs/state.py", python),
  script("mcp-edge-logs", "all", python),
];
