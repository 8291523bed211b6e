import { permissions } from "../permissions.ts";
import { about, type EdgePolicy } from "../policy.ts";

const ADMINISTRATIVE = /\/(AdministratorAccess|PowerUserAccess|IAMFullAccess|\w*FullAccess)$/;

export const noStarAction: EdgePolicy = () => ({
  ...about({
    name: "no-star-action",
    severity: "critical",
    description: "No permission covers every action, or every action of a service.",
    reason: "the machine faces the internet; whoever takes it over has what its role may do.",
    mend: "Name the actions. What is missing shows in CloudTrail as AccessDenied.",
  }),
  validateResource: permissions({
    statement: ({ sid, actions, inverted }, report) => {
      const where = sid ? ` (statement ${sid})` : "";
      if (inverted) report(`NotAction or NotResource allows all but what it names${where}`);
      for (const action of actions)
        if (/^(\w[\w-]*:)?\*+$/.test(action)) report(`${action} is allowed${where}`);
    },
    managed: (arn, report) => {
      if (ADMINISTRATIVE.test(arn)) report(`the managed policy ${arn} is attached`);
    },
  }),
});
