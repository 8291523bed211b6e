import { detours, endpoints, forwards, interfaceOf, isChecked, names } from "../forwarding.ts";
import { about, type EdgePolicy, TYPE } from "../policy.ts";

export const forwardingEdge: EdgePolicy = () => ({
  ...about({
    name: "forwarding-edge",
    severity: "high",
    description:
      "EC2's source/destination check is off for the edge that routes lead to (edge: passthrough), and for nothing else.",
    reason:
      "with the check, EC2 drops what the edge forwards, silently. Without it, a machine can send packets with the addresses of others.",
    fix: "Set sourceDestCheck: false on the edge's network interface (infra/aws/machine.ts: forwards), and on no other.",
  }),
  validateStack: ({ resources }, report) => {
    const ways = detours(resources);
    const leadsTo = (to: (typeof resources)[number]) =>
      ways.some((route) => names(route, "networkInterfaceId", to));
    for (const one of endpoints(resources)) {
      const port = one.type === TYPE.instance ? interfaceOf(one, resources) : one;
      if (forwards(one) && !(port && leadsTo(port)))
        report(`${one.name} forwards packets, and no route leads to it`, one.urn);
      if (one.type === TYPE.networkInterface && leadsTo(one) && isChecked(one))
        report(`routes lead to ${one.name}, and EC2 drops what it forwards (sourceDestCheck)`, one.urn);
    }
  },
});
