import type { PolicyResource } from "@pulumi/policy";
import { known } from "../known.ts";
import { about, type EdgePolicy, TYPE } from "../policy.ts";

const plain = (name: unknown) => String(name).toLowerCase().replace(/\.$/, "");

/** The name itself and its parents: a CA looks for CAA records there too (RFC 8659 section 3). */
const upwards = (name: string) => name.split(".").map((_, i, labels) => labels.slice(i).join("."));

function problemsOf(name: string, records: PolicyResource[]): string[] {
  const of = (type: string, names: string[]) =>
    records.filter(({ props }) => props.type === type && names.includes(plain(props.name)));
  const problems: string[] = [];
  const https = of("HTTPS", [name]);
  if (https.length === 0) problems.push(`${name} has no HTTPS record`);
  for (const record of https) {
    const values = known(() => [...record.props.records].map(String));
    if (values && !values.some((value) => /alpn="?[^"\s]*\bh3\b/.test(value))) {
      problems.push(`the HTTPS record of ${name} does not offer h3`);
    }
  }
  if (of("CAA", upwards(name)).length === 0)
    problems.push(`${name} has no CAA record, nor has any of its parents`);
  return problems;
}

export const zoneRecords: EdgePolicy = () => ({
  ...about({
    name: "zone-records",
    severity: "medium",
    description: "If the program manages the zone, each host has an HTTPS record with h3, and a CAA record.",
    reason:
      "with the HTTPS record (RFC 9460), even the first connection uses HTTP/3. Without CAA (RFC 8659), any CA may issue for the name.",
    fix: 'Add records of type "HTTPS" (1 . alpn="h3,h2") and CAA (0 issue "…") for the same name. For an ACME server given by its URL, set mcp-edge:caaIssuer.',
  }),
  validateStack: ({ resources }, report) => {
    const records = resources.filter(({ type }) => type === TYPE.record);
    const hosts = records.filter(({ props }) => props.type === "A" || props.type === "AAAA");
    for (const [name, urn] of new Map(hosts.map(({ props, urn }) => [plain(props.name), urn]))) {
      for (const problem of problemsOf(name, records)) report(problem, urn);
    }
  },
});
