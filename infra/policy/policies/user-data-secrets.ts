import { about, type EdgePolicy } from "../policy.ts";
import { onUserData, readable } from "../user-data.ts";

/** Patterns of well-known secrets, each with its name. Other secrets are found by their value. */
const SHAPES: readonly [string, RegExp][] = [
  ["a private key", /-----BEGIN ([A-Z]+ )*PRIVATE KEY-----/],
  ["an AWS access key", /\b(AKIA|ASIA)[A-Z0-9]{16}\b/],
  ["a GitHub token", /\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22,})/],
  ["a Slack token", /\bxox[abprs]-[\w-]{10,}/],
  ["an API key", /\bsk-[A-Za-z0-9_-]{20,}/],
  ["a JSON web token", /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/],
  ["a URL with a password", /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"'$]+:[^\s/@"'$]{3,}@/],
  // An assignment of a literal. Scripts that assign a variable, a path or nothing only refer to a secret.
  [
    "a password",
    /\b\w*(password|passwd|secret|api_?key|access_?token)["']?\s*[=:]\s*["']?[A-Za-z0-9+/_-]{12,}/i,
  ],
];

export const userDataSecrets: EdgePolicy = ({ secrets }) => ({
  ...about({
    name: "user-data-secrets",
    severity: "critical",
    description: "User data contains no secret of the stack and nothing that looks like a secret.",
    reason:
      "every process on the machine can read it from the metadata service, and everybody with ec2:DescribeInstanceAttribute from the API.",
    fix: "Move it to the setting `secrets`: it becomes an SSM SecureString, which the machine reads at boot.",
  }),
  validateResource: onUserData((bytes, report) => {
    const text = readable(bytes);
    for (const [name, shape] of SHAPES) if (shape.test(text)) report(`it holds what looks like ${name}`);
    if (secrets.some((secret) => text.includes(secret)))
      report("it holds a secret of the stack's configuration");
  }),
});
