import { about, type EdgePolicy, on, TYPE } from "../policy.ts";

export const secureParameters: EdgePolicy = ({ secrets }) => ({
  ...about({
    name: "secure-parameters",
    severity: "high",
    description: "SSM parameters with the server's environment are of type SecureString.",
    reason: "a String is shown in clear in consoles and logs, to everybody who may list parameters.",
    fix: 'Set type: "SecureString". It is encrypted with the account\'s key aws/ssm at no cost.',
  }),
  validateResource: on(TYPE.parameter, (props, args, report) => {
    if (props.type === "SecureString") return;
    if (String(props.name).includes("/env/")) report(`${args.name} is of type ${props.type}`);
    const value = [props.value, props.insecureValue].map(String);
    if (secrets.some((secret) => value.some((one) => one.includes(secret)))) {
      report(`${args.name} holds a secret of the stack's configuration and is of type ${props.type}`);
    }
  }),
});
