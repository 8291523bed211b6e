import { permissions } from "../permissions.ts";
import { about, type EdgePolicy } from "../policy.ts";
import { isEveryResource, type Statement } from "../statements.ts";

/** These only look. Reading what is in an object, a parameter or a secret is no looking. */
export const LOOKS =
  /^[\w-]+:(Describe|List|Get(?!Object|Parameter|Secret)|Head|BatchGet|Lookup|Search|View)\w*\*?$/;

/** Actions that know no resource (IAM, "Actions, resources, and condition keys"), so that `*` is all that can be written. */
const WITHOUT_RESOURCE = new Set([
  "cloudwatch:PutMetricData",
  "ssmmessages:CreateControlChannel",
  "ssmmessages:CreateDataChannel",
  "ssmmessages:OpenControlChannel",
  "ssmmessages:OpenDataChannel",
  "ssm:UpdateInstanceInformation",
]);

const writes = ({ actions }: Statement) =>
  actions.filter((action) => !LOOKS.test(action) && !WITHOUT_RESOURCE.has(action));

export const noStarWrite: EdgePolicy = () => ({
  ...about({
    name: "no-star-write",
    severity: "high",
    description: "A permission to change something, or to read contents, names the resources.",
    reason: "the machine's role is for its own release, status and parameters, not for the account's.",
    mend: "Put the ARN of the bucket's prefix, of the parameters' path, of the log group into Resource.",
  }),
  validateResource: permissions({
    statement: (statement, report) => {
      if (!statement.resources.some(isEveryResource)) return;
      for (const action of writes(statement)) report(`${action} is allowed on every resource`);
    },
    managed: () => {},
  }),
});
