import { about, type EdgePolicy, on, TYPE } from "../policy.ts";

const [SHORTEST, LONGEST] = [60, 300];

export const recordTtls: EdgePolicy = () => ({
  ...about({
    name: "record-ttls",
    severity: "low",
    description: `A, AAAA and HTTPS records have a TTL of ${SHORTEST} to ${LONGEST} seconds.`,
    reason:
      "after a change of address, clients use the old one until the TTL has passed. A shorter TTL costs a lookup per visit.",
    fix: "Set ttl: 300 on all three records of a name.",
  }),
  validateResource: on(TYPE.record, ({ type, ttl, aliases, name }, _, report) => {
    if (!["A", "AAAA", "HTTPS"].includes(type) || aliases?.length) return;
    if (!(ttl >= SHORTEST && ttl <= LONGEST)) report(`the ${type} record of ${name} has ttl ${ttl}`);
  }),
});
