import { about, type EdgePolicy } from "../policy.ts";
import { onUserData, readable } from "../user-data.ts";

/** Shapes of secrets, each with its name; a secret without a shape is found by its value. */
const SHAPES: readonly [string, RegExp][] = [
  ["a private key", /-----BEGIN ([A-Z]+ )*PRIVATE KEY-----/],
  ["an AWS access key", /\b(AKIA|ASIA)[A-Z0-9]{16}\b/],
  ["a GitHub token", /\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22,})/],
  ["a Slack token", /\bxox[abprs]-[\w-]{10,}/],
  ["an API key", /\bsk-[A-Za-z0-9_-]{20,}/],
  ["a JSON web token", /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/],
  ["a URL with a password", /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"'$]+:[^\s/@"'$]{3,}@/],
  // An assignment of a literal; one of a variable, a path or nothing is how a script speaks of a secret.
  [
    "a password",
    /\b\w*(password|passwd|secret|api_?key|access_?token)["']?\s*[=:]\s*["']?[A-Za-z0-9+/_-]{12,}/i,
  ],
];

export const userDataSecrets: EdgePolicy = ({ secrets }) => ({
  ...about({
    name: "user-data-secrets",
    severity: "critical",
    description: "Nothing in user-data looks like a secret or is one of the stack's.",
    reason:
      "every process of the machine reads it from the metadata service, and everybody with ec2:DescribeInstanceAttribute from the API.",
    mend: "Put it into the setting `secrets`: it becomes an SSM SecureString, which the machine reads at boot.",
  }),
  validateResource: onUserData((bytes, report) => {
    const text = readable(bytes);
    for (const [name, shape] of SHAPES) if (shape.test(text)) report(`it holds what looks like ${name}`);
    if (secrets.some((secret) => text.includes(secret)))
      report("it holds a secret of the stack's configuration");
  }),
});
