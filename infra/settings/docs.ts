import type * as z from "zod";
import { NAMESPACE } from "./errors.ts";
import { defaultOf, formOf, isRequired, metaOf, type Shape } from "./meta.ts";
import { SCHEMAS, type Schemas } from "./schemas.ts";

function allowed(schema: z.ZodType): string {
  const { kind, values, min, max } = formOf(schema);
  if (values) return values.map((value) => `\`${value}\``).join(", ");
  const secret = metaOf(schema).secret ? "secret " : "";
  return min === undefined ? `${secret}${kind}` : `${min} to ${max}`;
}

function fallbackOf(schema: z.ZodType): string {
  const { fallback } = metaOf(schema);
  if (isRequired(schema)) return "must be set";
  if (fallback) return fallback;
  const value = defaultOf(schema);
  return (Array.isArray(value) ? value : [value]).map((one) => `\`${one}\``).join(", ");
}

/** A setting by the schemas that its targets have for it. */
function row(key: string, schemas: [string, z.ZodType][]): string {
  const [[, schema]] = schemas as [[string, z.ZodType]];
  const fallbacks = schemas.map(([target, one]) => ({ target, fallback: fallbackOf(one) }));
  const same = fallbacks.every(({ fallback }) => fallback === fallbacks[0]?.fallback);
  const fallback = same
    ? fallbacks[0]?.fallback
    : fallbacks.map(({ target, fallback }) => `${target}: ${fallback}`).join("; ");
  return `| \`${key}\` | ${metaOf(schema).description} | ${allowed(schema)} | ${fallback} |`;
}

const table = (rows: string[]) =>
  ["| key | what it does | values | default |", "| --- | --- | --- | --- |", ...rows].join("\n");

/** docs/settings.md */
export function settingsPage({ local, aws }: Schemas = SCHEMAS): string {
  const shared = Object.keys(local).map((key) =>
    row(key, [
      ["local", local[key] as Shape[string]],
      ...(aws[key] ? ([["aws", aws[key]]] as [string, z.ZodType][]) : []),
    ]),
  );
  const only = Object.entries(aws).flatMap(([key, schema]) =>
    local[key] ? [] : [row(key, [["aws", schema]])],
  );
  return `# Settings

<!-- Made from infra/settings/schema-*.ts by \`npm run docs\`. -->

A setting is a key of the namespace \`${NAMESPACE}\` in the stack's file, \`Pulumi.<stack>.yaml\`:

\`\`\`yaml
config:
  ${NAMESPACE}:rateLimit: 100
  ${NAMESPACE}:allowedOrigins:
    - https://chat.example.com
  ${NAMESPACE}:secrets:
    API_KEY:
      secure: v1:…
\`\`\`

Write the file by hand, or by \`pulumi\`; a secret is encrypted, so only by \`pulumi\`, which asks for it:

\`\`\`sh
pulumi config set ${NAMESPACE}:rateLimit 100 --stack prod
pulumi config set --path '${NAMESPACE}:allowedOrigins[0]' https://chat.example.com --stack prod     # list
pulumi config set --path ${NAMESPACE}:tags.CostCentre 42 --stack prod                               # object
pulumi config set --path ${NAMESPACE}:secrets.API_KEY --secret --stack prod                         # secret
pulumi config set --path ${NAMESPACE}:workspaceCredentials.key --secret --stack prod <deploy-key    # a file
\`\`\`

For a stack on this host a setting can also be an argument of \`up\`, kept until \`down\`: \`npm run up -- --set rateLimit=100\`, a list or an
object in JSON: \`--set 'allowedOrigins=["https://chat.example.com"]'\`; \`--set rateLimit=\` takes it back. A secret comes from a file, in JSON:
\`--set workspaceCredentials=@credentials.json\`. It is encrypted with the passphrase of the checkout. An encrypted value of
\`Pulumi.local.yaml\` is decrypted with the passphrase in PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE.
Unknown keys are refused, and all problems are reported at once, before anything is made.

${table(shared)}

## Only for \`target: aws\`

Refused in a stack of another target. The region is the AWS provider's own setting: \`aws:region\`.

${table(only)}
`;
}
