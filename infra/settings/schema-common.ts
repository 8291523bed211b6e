import * as z from "zod";
import {
  emailAddress,
  hostName,
  origin,
  rateLimit,
  timeOfDay,
  wholeNumber,
} from "../../cloud-init/settings.ts";
import { FORWARDS, TOPOLOGIES } from "../../cloud-init/topology.ts";
import { workspaceCredentials } from "../workspace-credentials.ts";
import { ref, workspace } from "./formats.ts";
import { computed, oneOf, type SettingMeta, setting } from "./meta.ts";
import { auth } from "./schema-auth.ts";
import { edge } from "./schema-edge.ts";

/** Settings of every target. A target may give a key another default (schema-local.ts, schema-aws.ts). */
export const common = {
  target: setting(oneOf("local", "aws"), "local", {
    description: "Where the machine is: `local` is a Debian guest on this Linux host, `aws` an EC2 instance.",
  }),
  edge: setting(oneOf(...TOPOLOGIES), "terminate", {
    description:
      "Where TLS ends: `terminate` on the machine that has the public addresses, with NGINX; `passthrough` on an origin behind it, with Caddy, while the edge passes packets on ([topologies.md](topologies.md)).",
  }),
  forward: setting(oneOf(...FORWARDS), "kernel", {
    description:
      "How an edge with `passthrough` passes connections on: `kernel` translates addresses in the firewall, `nginx` is NGINX's `stream` module.",
  }),
  domain: hostName.meta({
    description: "Host name of the server; its certificate is issued for it.",
    example: "mcp.example.com",
    server: (domain) => ({ PUBLIC_URL: `https://${domain}` }),
    edge: "DOMAIN",
  } satisfies SettingMeta),
  email: computed(emailAddress, ({ domain }) => `admin@${domain}`, {
    description: "Contact of the ACME account.",
    fallback: "`admin@<domain>`",
    example: "ops@example.com",
    edge: "EMAIL",
  }),
  ...auth,
  workspace: workspace.meta({
    description:
      "Git repository that the tools read: a folder on this host (its commits are pushed) or a URL.",
    example: "https://git.example.com/team/project.git",
  } satisfies SettingMeta),
  workspaceRefs: setting(z.array(ref), [], {
    description:
      "Branches and tags of a `workspace` folder that are pushed besides HEAD: names or patterns such as `v*`; `*` is all. A URL has all of its own.",
    fallback: "none",
    example: ["main", "v*"],
  }),
  workspaceCredentials: workspaceCredentials.optional().meta({
    description:
      "For a private repository: `user` and `token` for https, `key` (OpenSSH's PEM) and `knownHosts` (of `ssh-keyscan HOST`) for ssh. Only root can read it on the machine.",
    fallback: "none",
    example: { user: "bot", token: "…" },
    secret: true,
  } satisfies SettingMeta),
  rebootAt: setting(timeOfDay, "04:00", {
    description:
      "Time of day (UTC) from which on, within an hour, the machine reboots when an installed patch needs it; each machine has a moment of its own. `off`: never.",
  }),
  streamHours: setting(wholeNumber(1, 168), 12, {
    description:
      "Hours for which a replaced NGINX keeps its open streams, after a change of its files or an upgrade. Then it ends, and the clients connect again.",
    edge: "STREAM_HOURS",
  }),
  rateLimit: setting(rateLimit, 50, {
    description:
      "Requests a second that one token, and the requests of one address without one, may send before they are answered 429; one address four times as many in all.",
    // The same as NGINX's limits (limits.conf): an address may hold several clients, a token has its own bucket wherever it is used from.
    server: (rate) => ({ RATE_LIMIT_ADDRESS: 4 * rate, RATE_LIMIT_TOKEN: rate }),
  }),
  ...edge,
  allowedOrigins: setting(z.array(origin), [], {
    description:
      "More origins whose pages may call: `https://chat.example.com`, `https://*.example.com`, or a whole scheme for desktop and extension clients, `vscode-webview://*`.",
    fallback: "the server's own and loopback",
    example: ["https://chat.example.com"],
    server: "ALLOWED_ORIGINS",
  }),
  logLevel: setting(oneOf("debug", "info", "warn", "error"), "info", {
    description: "Level of the server's log in the journal.",
    server: "LOG_LEVEL",
  }),
};
