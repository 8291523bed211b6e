import { permissions } from "../permissions.ts";
import { about, type EdgePolicy } from "../policy.ts";

const ADMINISTRATIVE = /\/(AdministratorAccess|PowerUserAccess|IAMFullAccess|\w*FullAccess)$/;

export const noStarAction: EdgePolicy = () => ({
  ...about({
    name: "no-star-action",
    severity: "critical",
    description: "No permission covers all actions, or all actions of a service.",
    reason: "the machine faces the internet. An attacker who takes it over has all permissions of its role.",
    fix: "Name the actions. CloudTrail shows each missing one as AccessDenied.",
  }),
  validateResource: permissions({
    statement: ({ sid, actions, inverted }, report) => {
      const where = sid ? ` (statement ${sid})` : "";
      if (inverted) report(`NotAction or NotResource allows everything except what it names${where}`);
      for (const action of actions)
        if (/^(\w[\w-]*:)?\*+$/.test(action)) report(`${action} is allowed${where}`);
    },
    managed: (arn, report) => {
      if (ADMINISTRATIVE.test(arn)) report(`the managed policy ${arn} is attached`);
    },
  }),
});
