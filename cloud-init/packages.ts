/**
 * Debian 13 packages that the machine needs. One list for the cloud, the local machine and its cached root filesystem.
 *
 * No `nodejs`: the release archive brings its own Node. No recommended packages are installed, so `python3-systemd`
 * (fail2ban's journal backend) is named here.
 */
export const PACKAGES: readonly string[] = [
  "ca-certificates", // trust store of git, certbot and curl
  "certbot", // ACME client, with its systemd timer
  "conntrack", // forgets the flows of an NGINX that has ended
  "curl", // the deploy script's health check
  "fail2ban", // bans addresses that guess credentials
  "git", // the workspace's repositories
  "logrotate", // rotates the access log, also where no recommended package is installed
  "needrestart", // restarts what uses replaced libraries
  "nftables", // firewall, and fail2ban's ban action
  "nginx", // HTTP/3, HTTP/2 and HTTP/1.1 edge
  "openssl", // bootstrap certificate, certificate checks
  "procps", // pgrep, for the deploy script
  "python3-systemd", // fail2ban reads sshd's journal with it
  "unattended-upgrades", // security updates
  "zstd", // unpacks the release archive
];

/** Further packages on AWS: none. Debian 13 has no package of EC2 Instance Connect. */
export const AWS_PACKAGES: readonly string[] = [];
