import { about, type EdgePolicy, on, TYPE } from "../policy.ts";

export const prodProtected: EdgePolicy = ({ environment }) => ({
  ...about({
    name: "prod-protected",
    severity: "critical",
    description:
      "In prod, the data volume, the address and a created zone are protected, and EC2 refuses to terminate the machine.",
    reason:
      "a mistaken `destroy` would delete certificates, tokens and sessions, or an address that is in other people's firewall rules.",
    fix: 'Run: pulumi config set mcp-edge:protect true. To take prod down on purpose: docs/environments.md, "Taking a stack down".',
  }),
  validateResource: [TYPE.volume, TYPE.eip, TYPE.zone]
    .map((type) =>
      on(type, (_, { opts, name }, report) => {
        if (environment === "prod" && !opts.protect)
          report(`${name} is not protected (resource option protect)`);
      }),
    )
    .concat(
      on(TYPE.instance, (props, { name }, report) => {
        if (environment === "prod" && props.disableApiTermination !== true) {
          report(`${name} can be terminated (disableApiTermination)`);
        }
      }),
    ),
});
