/** A rule of the edge's security group about the members of the origin's group. */
export interface GroupRule {
  /** Part of the name of the resource. It changes only with the meaning of the rule. */
  name: string;
  direction: "ingress" | "egress";
  ipProtocol: "-1" | "icmp" | "icmpv6";
  /** For ICMP the type. Default: all. */
  fromPort?: number;
  /** For ICMP the code, -1 for all. Default: all. */
  toPort?: number;
  why: string;
}

/**
 * What an edge that forwards packets (`edge: passthrough`) needs beside the rules of every machine (firewall-rules.ts).
 *
 * The edge's other rules allow the packets to the origin: TCP 443 and 80 and all of UDP may leave it to any address. The origin has the
 * same rules as the edge: it sees the addresses of clients, so it has to accept port 443 from all of them, although packets reach it only
 * through the edge (passthrough.ts).
 *
 * EC2 tracks the forwarded flows at the edge's interface, as the kernel does: a UDP flow for 180 s without a packet, a TCP connection for
 * 350 s on newer types (EC2 user guide, "Security group connection tracking"). The keep-alive of a stream is sent every 15 s. A response
 * after that is allowed by the first rule here, which needs no tracking.
 *
 * Pure.
 */
export const groupRules: readonly GroupRule[] = [
  {
    name: "ingress-all-origin",
    direction: "ingress",
    ipProtocol: "-1",
    why: "From the origin: answers to clients, and what it opens itself",
  },
  // A router on the path to a client reports to the edge that a packet was too big, and the edge passes this on to the origin.
  {
    name: "egress-icmp-mtu-origin",
    direction: "egress",
    ipProtocol: "icmp",
    fromPort: 3,
    toPort: 4,
    why: "Path MTU, to the origin",
  },
  {
    name: "egress-icmpv6-mtu-origin",
    direction: "egress",
    ipProtocol: "icmpv6",
    fromPort: 2,
    toPort: 0,
    why: "Path MTU, to the origin",
  },
];
