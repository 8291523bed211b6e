import type { PolicyResource } from "@pulumi/policy";
import { forwards, interfaceOf } from "../forwarding.ts";
import { known, refersTo } from "../known.ts";
import { about, type EdgePolicy, TYPE } from "../policy.ts";
import { statementsOf } from "../statements.ts";

/** Reading what the server has: parameters, secrets, releases and the workspace. */
const SECRET = /^(ssm|secretsmanager):(\*|Get|BatchGet)/;
const OF_SERVER = /^(\*|arn:aws:s3:::[^/]*(\*|\/(\*|releases|workspaces).*)?)$/;

/** The documents of an instance's role. */
function documentsOf(instance: PolicyResource, resources: PolicyResource[]): unknown[] {
  const of = (type: string) => resources.filter((one) => one.type === type);
  const same = (from: PolicyResource, property: string, to: PolicyResource) =>
    known(() => refersTo(from, property, to, ["id", "name"])) ?? false;
  const profiles = of(TYPE.instanceProfile).filter((one) => same(instance, "iamInstanceProfile", one));
  const roles = of(TYPE.role).filter((role) => profiles.some((profile) => same(profile, "role", role)));
  return of(TYPE.rolePolicy)
    .filter((policy) => roles.some((role) => same(policy, "role", role)))
    .map((policy) => known(() => policy.props.policy));
}

export const edgeWithoutSecrets: EdgePolicy = () => ({
  ...about({
    name: "edge-without-secrets",
    severity: "high",
    description:
      "An edge that forwards packets (edge: passthrough) may read neither parameters and secrets nor releases and the workspace.",
    reason:
      "it terminates nothing and runs no server. What it cannot read, nobody can take from the machine that faces the internet.",
    fix: "Give the edge the role with server: false (infra/aws/identity-policy.ts).",
  }),
  validateStack: ({ resources }, report) => {
    for (const instance of resources.filter(({ type }) => type === TYPE.instance)) {
      if (![instance, interfaceOf(instance, resources)].some((one) => one && forwards(one))) continue;
      for (const document of documentsOf(instance, resources)) {
        for (const { effect, actions, resources: arns } of document === undefined
          ? []
          : statementsOf(document)) {
          if (effect !== "Allow") continue;
          for (const action of actions) {
            const reads =
              SECRET.test(action) ||
              (/^(s3:(\*|Get)|\*$)/.test(action) && arns.some((arn) => OF_SERVER.test(arn)));
            if (reads) report(`${instance.name} may ${action} on ${arns.join(", ")}`, instance.urn);
          }
        }
      }
    }
  },
});
