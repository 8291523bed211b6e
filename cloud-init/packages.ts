import type { Forward, Role } from "./topology.ts";

/** What every machine needs. No recommended packages are installed. */
const BASE = [
  "ca-certificates", // trust store of git, the ACME clients and curl
  "curl", // the deploy script's health check
  "logrotate", // rotates logs, also where no recommended package is installed
  "needrestart", // restarts what uses replaced libraries
  "nftables", // firewall, and fail2ban's ban action
  "openssl", // bootstrap certificate, certificate checks
  "procps", // pgrep, for the deploy script
  "unattended-upgrades", // security updates
  "zstd", // unpacks the release archive
] as const;

/** Where TLS ends and the server runs. No `nodejs`: the release archive brings its own Node. */
const SERVER = [
  ...BASE,
  "fail2ban", // bans addresses that guess credentials
  "git", // the workspace's repositories
  "python3-systemd", // fail2ban reads sshd's journal with it
] as const;

/** Debian 13 packages by the role that decides about them. */
const BY_ROLE: Record<Exclude<Role, "app">, readonly string[]> = {
  nginx: [
    ...SERVER,
    "certbot", // ACME client, with its systemd timer
    "conntrack", // forgets the flows of an NGINX that has ended
    "nginx", // HTTP/3, HTTP/2 and HTTP/1.1 edge
  ],
  caddy: [
    ...SERVER,
    "conntrack", // forgets the flows of a Caddy that has ended
    "iproute2", // counts the connections of one
    "caddy", // HTTP/3, HTTP/2 and HTTP/1.1; of trixie-backports (files/etc/backports.preferences)
  ],
  forwarder: [
    ...BASE,
    "conntrack", // counts and lists the tracked flows, for operators (RUNBOOK.md)
    "iproute2", // routes of mcp-edge-transparent.service
    "python3", // mcp-edge-logs
  ],
};

/** For `forward: nginx`. */
const NGINX_FORWARDER = ["libnginx-mod-stream", "nginx"];

/** Further packages on AWS: none. Debian 13 has no package of EC2 Instance Connect. */
const AWS_PACKAGES: readonly string[] = [];

/** The packages of a machine, sorted. */
export const packagesOf = (
  role: Exclude<Role, "app">,
  { inAws, forward }: { inAws: boolean; forward: Forward },
): string[] =>
  [
    ...BY_ROLE[role],
    ...(role === "forwarder" && forward === "nginx" ? NGINX_FORWARDER : []),
    ...(inAws ? AWS_PACKAGES : []),
  ].sort();

/** The packages of all machines, for the root filesystem of the local ones and the tests. */
export const PACKAGES: readonly string[] = [
  ...new Set([...Object.values(BY_ROLE).flat(), ...NGINX_FORWARDER]),
].sort();
