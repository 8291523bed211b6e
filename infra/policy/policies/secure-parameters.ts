import { about, type EdgePolicy, on, TYPE } from "../policy.ts";

export const secureParameters: EdgePolicy = ({ secrets }) => ({
  ...about({
    name: "secure-parameters",
    severity: "high",
    description: "The server's environment in SSM is of type SecureString.",
    reason: "a String is shown in clear to everybody who may list parameters, in consoles and in logs.",
    mend: 'type: "SecureString"; it is encrypted with the account\'s key aws/ssm at no cost.',
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
