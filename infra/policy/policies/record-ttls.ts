import { about, type EdgePolicy, on, TYPE } from "../policy.ts";

const [SHORTEST, LONGEST] = [60, 300];

export const recordTtls: EdgePolicy = () => ({
  ...about({
    name: "record-ttls",
    severity: "low",
    description: `A, AAAA and HTTPS records live ${SHORTEST} to ${LONGEST} seconds.`,
    reason:
      "a machine with a new address is unreachable for the TTL, and hints in an HTTPS record that outlive the addresses lead astray; shorter ones cost a lookup per visit.",
    mend: "ttl: 300, the same for the three records of a name.",
  }),
  validateResource: on(TYPE.record, ({ type, ttl, aliases, name }, _, report) => {
    if (!["A", "AAAA", "HTTPS"].includes(type) || aliases?.length) return;
    if (!(ttl >= SHORTEST && ttl <= LONGEST)) report(`the ${type} record of ${name} has ttl ${ttl}`);
  }),
});
