import { ApiError, arn, type Kind, tagsAll } from "../kind.ts";
import { oneOf, patterns } from "../limits.ts";
import { number, type Props, text } from "../values.ts";

/** Systems Manager's parameters (API reference, PutParameter). */

export const PARAMETER = "aws:ssm/parameter:Parameter";

function problems(inputs: Props): [string, string][] {
  const found = [
    ...patterns(inputs, {
      name: [
        /^(?!\/?(aws|ssm)[/.]?$)(?!\/?(aws|ssm)\/)\/?[\w.-]+(\/[\w.-]+){0,14}$/i,
        "letters, digits, _.- in at most 15 levels, and not begin with aws or ssm",
      ],
    }),
    ...oneOf(inputs, {
      type: ["String", "StringList", "SecureString"],
      tier: ["Standard", "Advanced", "Intelligent-Tiering"],
    }),
  ];
  const name = text(inputs, "name");
  if (name.slice(1).includes("/") && !name.startsWith("/"))
    found.push(["name", "a name with levels begins with /"]);
  const most = inputs.tier === "Advanced" ? 8192 : 4096;
  for (const key of ["value", "insecureValue"]) {
    const value = inputs[key];
    if (value === "") found.push([key, "a parameter's value cannot be empty"]);
    if (typeof value === "string" && /\{\{.*\}\}/s.test(value))
      found.push([key, "Parameter value can't nest another parameter. Do not use {{}} in the value"]);
    if (typeof value === "string" && Buffer.byteLength(value) > most)
      found.push([key, `more than ${most} bytes`]);
  }
  if (inputs.insecureValue !== undefined && inputs.type === "SecureString")
    found.push(["insecureValue", "cannot be used with SecureString"]);
  return found;
}

export const parameter: Kind = {
  token: PARAMETER,
  replaces: ["name", "dataType"],
  check: problems,
  make: (inputs, aws) => {
    const id = text(inputs, "name");
    if (aws.store.get(PARAMETER, id) && inputs.overwrite !== true)
      throw new ApiError("ParameterAlreadyExists", `The parameter ${id} already exists.`);
    const outs = {
      arn: arn(aws, "ssm", `parameter${id.startsWith("/") ? "" : "/"}${id}`),
      version: 1,
      tier: "Standard",
      dataType: "text",
      ...(inputs.type === "SecureString" ? { keyId: "alias/aws/ssm" } : {}),
      ...tagsAll(inputs),
    };
    return { id, outs };
  },
  change: (before, inputs) => {
    const written = before.inputs.value !== inputs.value;
    return { version: (number(before.outs, "version") ?? 1) + (written ? 1 : 0), ...tagsAll(inputs) };
  },
};
