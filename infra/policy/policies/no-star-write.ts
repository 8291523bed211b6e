import { permissions } from "../permissions.ts";
import { about, type EdgePolicy } from "../policy.ts";
import { isEveryResource, type Statement } from "../statements.ts";

/** Actions that only read metadata. Reading the content of an object, a parameter or a secret is not among them. */
export const READ_ONLY =
  /^[\w-]+:(Describe|List|Get(?!Object|Parameter|Secret)|Head|BatchGet|Lookup|Search|View)\w*\*?$/;

/** Actions without resource-level permissions (IAM, "Actions, resources, and condition keys"): `*` is the only possible resource. */
const WITHOUT_RESOURCE = new Set([
  "cloudwatch:PutMetricData",
  "ssmmessages:CreateControlChannel",
  "ssmmessages:CreateDataChannel",
  "ssmmessages:OpenControlChannel",
  "ssmmessages:OpenDataChannel",
  "ssm:UpdateInstanceInformation",
]);

const writes = ({ actions }: Statement) =>
  actions.filter((action) => !READ_ONLY.test(action) && !WITHOUT_RESOURCE.has(action));

export const noStarWrite: EdgePolicy = () => ({
  ...about({
    name: "no-star-write",
    severity: "high",
    description: "A permission to change something, or to read its content, names the resources.",
    reason:
      "the machine's role is for its own release, status and parameters, not for those of the whole account.",
    fix: "In Resource, name the ARN: the bucket's prefix, the parameters' path, or the log group.",
  }),
  validateResource: permissions({
    statement: (statement, report) => {
      if (!statement.resources.some(isEveryResource)) return;
      for (const action of writes(statement)) report(`${action} is allowed on every resource`);
    },
    managed: () => {},
  }),
});
