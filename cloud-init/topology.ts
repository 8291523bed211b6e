/**
 * Which machines a stack has, and which roles each one has (docs/topologies.md).
 *
 * - `nginx`: terminates TLS with NGINX, gets its certificate with certbot, bans.
 * - `forwarder`: passes ports 443 and 80 on to the origin and is the origin's gateway. It terminates nothing and has no key.
 * - `caddy`: terminates TLS with Caddy, which gets its own certificate; bans.
 * - `app`: what runs behind NGINX or Caddy.
 */
export const ROLES = ["nginx", "forwarder", "caddy", "app"] as const;
export type Role = (typeof ROLES)[number];

/** `terminate`: the edge terminates TLS. `passthrough`: it passes packets on to an origin, which does. */
export const TOPOLOGIES = ["terminate", "passthrough"] as const;
export type Topology = (typeof TOPOLOGIES)[number];

/** How an edge passes connections on: by the kernel's address translation, or by NGINX's `stream` module. */
export const FORWARDS = ["kernel", "nginx"] as const;
export type Forward = (typeof FORWARDS)[number];

/** `edge`: has the public addresses. `origin`: behind it, and only with `passthrough`. */
export type MachineKind = "edge" | "origin";

const MACHINES: Record<Topology, Partial<Record<MachineKind, readonly Role[]>>> = {
  terminate: { edge: ["nginx", "app"] },
  passthrough: { edge: ["forwarder"], origin: ["caddy", "app"] },
};

/** The kinds of machines that a stack has, the edge first. Pure. */
export const machineKinds = (topology: Topology): MachineKind[] =>
  Object.keys(MACHINES[topology]) as MachineKind[];

/** The kind of machine that runs the server: it takes releases, has tokens, the workspace and the bans. Pure. */
export const serverKind = (topology: Topology): MachineKind =>
  topology === "passthrough" ? "origin" : "edge";

/** Pure. @throws Error when the topology has no such machine */
export function rolesOf(topology: Topology, kind: MachineKind): readonly Role[] {
  const roles = MACHINES[topology][kind];
  if (!roles) throw new Error(`A stack with edge: ${topology} has no machine "${kind}".`);
  return roles;
}
