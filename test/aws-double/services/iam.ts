import { type Account, ApiError, type Kind, newId, shortHash, tagsAll } from "../kind.ts";
import { jsonProblem, patterns, ranges } from "../limits.ts";
import { isObject, type Props, text } from "../values.ts";

/** IAM: roles, policies, instance profiles (IAM API reference and "IAM and AWS STS quotas"). */

export const ROLE = "aws:iam/role:Role";
export const ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy";
export const POLICY = "aws:iam/policy:Policy";
export const ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment";
export const PROFILE = "aws:iam/instanceProfile:InstanceProfile";

const NAME = /^[\w+=,.@-]+$/;

const name = (most: number): [RegExp, string] => [
  new RegExp(`^(?=.{1,${most}}$)${NAME.source.slice(1)}`),
  `1 to ${most} letters, digits or _+=,.@-`,
];

const globalArn = (aws: Account, resource: string) => `arn:${aws.partition}:iam::${aws.account}:${resource}`;

/** Checks a policy document as IAM does. @returns the problem, or undefined */
function documentProblem(document: unknown, most: number, kind: "identity" | "trust"): string | undefined {
  const broken = jsonProblem(document, most);
  if (broken || typeof document !== "string") return broken;
  const { Version, Statement } = JSON.parse(document) as Props;
  if (Version !== "2012-10-17" && Version !== "2008-10-17")
    return "MalformedPolicyDocument: no valid Version";
  const statements = (Array.isArray(Statement) ? Statement : [Statement]).filter(isObject);
  if (statements.length === 0) return "MalformedPolicyDocument: no Statement";
  for (const statement of statements) {
    const words = JSON.stringify(statement).slice(0, 120);
    if (statement.Effect !== "Allow" && statement.Effect !== "Deny")
      return `MalformedPolicyDocument: Effect is missing in ${words}`;
    if (statement.Action === undefined && statement.NotAction === undefined)
      return `MalformedPolicyDocument: Action is missing in ${words}`;
    if (kind === "identity" && statement.Resource === undefined && statement.NotResource === undefined)
      return `MalformedPolicyDocument: Resource is missing in ${words}`;
    if (kind === "identity" && statement.Principal !== undefined)
      return `MalformedPolicyDocument: an identity's policy has no Principal: ${words}`;
    if (kind === "trust" && statement.Principal === undefined)
      return `MalformedPolicyDocument: Principal is missing in ${words}`;
    for (const one of [statement.Resource].flat()) {
      if (kind === "identity" && typeof one === "string" && one !== "*" && !one.startsWith("arn:"))
        return `MalformedPolicyDocument: Resource ${one} must be in ARN format or "*"`;
    }
  }
  return undefined;
}

const document = (inputs: Props, key: string, most: number, kind: "identity" | "trust") => {
  const what = documentProblem(inputs[key], most, kind);
  return what ? [[key, what] as [string, string]] : [];
};

export const role: Kind = {
  token: ROLE,
  replaces: ["name", "namePrefix", "path"],
  tagRules: { caseless: true },
  autoName: { input: "name", max: 64 },
  check: (inputs) => [
    ...patterns(inputs, {
      name: name(64),
      description: [/^[\s\S]{0,1000}$/, "at most 1000 characters"],
    }),
    ...ranges(inputs, { maxSessionDuration: [3600, 43_200] }),
    ...document(inputs, "assumeRolePolicy", 2048, "trust"),
  ],
  make: (inputs, aws) => {
    const id = text(inputs, "name");
    if (aws.store.get(ROLE, id))
      throw new ApiError("EntityAlreadyExists", `Role with name ${id} already exists.`);
    const path = text(inputs, "path") || "/";
    return {
      id,
      outs: {
        arn: globalArn(aws, `role${path}${id}`),
        path,
        uniqueId: `AROA${shortHash(id, 16).toUpperCase()}`,
        createDate: new Date(0).toISOString(),
        maxSessionDuration: 3600,
        forceDetachPolicies: false,
        managedPolicyArns: [],
        inlinePolicies: [],
        ...tagsAll(inputs),
      },
    };
  },
  change: (_before, inputs) => tagsAll(inputs),
};

export const rolePolicy: Kind = {
  token: ROLE_POLICY,
  replaces: ["name", "namePrefix", "role"],
  references: { role: { token: ROLE } },
  autoName: { input: "name", max: 128 },
  check: (inputs) => [
    ...patterns(inputs, { name: name(128) }),
    ...document(inputs, "policy", 10_240, "identity"),
  ],
  make: (inputs) => ({ id: `${text(inputs, "role")}:${text(inputs, "name")}`, outs: {} }),
};

export const policy: Kind = {
  token: POLICY,
  replaces: ["name", "namePrefix", "path", "description"],
  autoName: { input: "name", max: 128 },
  check: (inputs) => [
    ...patterns(inputs, { name: name(128) }),
    ...document(inputs, "policy", 6144, "identity"),
  ],
  make: (inputs, aws) => {
    const id = globalArn(aws, `policy${text(inputs, "path") || "/"}${text(inputs, "name")}`);
    const outs = {
      arn: id,
      path: "/",
      policyId: newId("ANPA"),
      attachmentCount: 0,
      ...tagsAll(inputs),
    };
    return { id, outs };
  },
  change: (_before, inputs) => tagsAll(inputs),
};

export const rolePolicyAttachment: Kind = {
  token: ATTACHMENT,
  replaces: ["role", "policyArn"],
  references: { role: { token: ROLE }, policyArn: { token: POLICY } },
  make: (inputs, aws) => {
    const role = text(inputs, "role");
    const others = aws.store.all(ATTACHMENT).filter(({ inputs: other }) => other.role === role);
    if (others.length >= 10)
      throw new ApiError("LimitExceeded", "A role takes at most 10 attached policies.");
    return { id: `${role}/${text(inputs, "policyArn")}`, outs: {} };
  },
};

export const instanceProfile: Kind = {
  token: PROFILE,
  replaces: ["name", "namePrefix", "path"],
  tagRules: { caseless: true },
  references: { role: { token: ROLE } },
  autoName: { input: "name", max: 128 },
  check: (inputs) => patterns(inputs, { name: name(128) }),
  make: (inputs, aws) => {
    const id = text(inputs, "name");
    if (aws.store.get(PROFILE, id))
      throw new ApiError("EntityAlreadyExists", `Instance Profile ${id} already exists.`);
    const outs = {
      arn: globalArn(aws, `instance-profile/${id}`),
      path: "/",
      uniqueId: `AIPA${shortHash(id, 16).toUpperCase()}`,
      createDate: new Date(0).toISOString(),
      ...tagsAll(inputs),
    };
    return { id, outs };
  },
  change: (_before, inputs) => tagsAll(inputs),
};

/** The policy documents of a role. */
export function documentsOf(aws: Account, role: string): Props[] {
  const inline = aws.store.all(ROLE_POLICY).filter(({ inputs }) => inputs.role === role);
  const attached = aws.store.all(ATTACHMENT).filter(({ inputs }) => inputs.role === role);
  const managed = attached.flatMap(({ inputs }) => aws.store.get(POLICY, text(inputs, "policyArn")) ?? []);
  return [...inline, ...managed].map(({ inputs }) => JSON.parse(text(inputs, "policy")) as Props);
}

/** The role of the instance profile with this name. */
export const roleOfProfile = (aws: Account, profile: string) =>
  text(aws.store.get(PROFILE, profile)?.inputs ?? {}, "role");
