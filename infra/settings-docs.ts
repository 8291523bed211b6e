import { NAMESPACE, SETTINGS, type Setting } from "./settings.ts";

/** Both renderings of the table of settings; `npm run docs` writes them, a test compares them with what is committed. */

const computed = (setting: Setting) => setting.default.startsWith("(");

function allowed({ type, values, min, max }: Setting): string {
  if (values) return values.map((value) => `\`${value}\``).join(", ");
  return type === "number" && min !== undefined ? `${min} to ${max}` : type;
}

/** Key, meaning, values and default, one row each. */
function table(settings: [string, Setting][]): string {
  const rows = settings.map(([key, setting]) => {
    const fallback = computed(setting) ? setting.default.slice(1, -1) : `\`${setting.default}\``;
    return `| \`${key}\` | ${setting.description} | ${allowed(setting)} | ${fallback} |`;
  });
  return ["| key | what it does | values | default |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

/** docs/settings.md */
export function settingsPage(): string {
  const all = Object.entries<Setting>(SETTINGS);
  return `# Settings

<!-- Made from infra/settings.ts by \`npm run docs\`. -->

A setting is a key of the namespace \`${NAMESPACE}\` in the stack's file, \`Pulumi.<stack>.yaml\`:

\`\`\`yaml
config:
  ${NAMESPACE}:rateLimit: 100
\`\`\`

or an argument of \`up\`, kept until \`down\`: \`npm run up -- --set rateLimit=100\`; \`--set rateLimit=\` takes it back.
Unknown keys are refused, and all problems are said at once, before anything is made.

${table(all.filter(([, { targets }]) => !targets))}

## Only for \`target: aws\`

Refused in a stack of another target. The region is the AWS provider's own setting: \`aws:region\`. Lists are separated by commas.

${table(all.filter(([, { targets }]) => targets?.includes("aws")))}
`;
}

/**
 * The \`config:\` part of Pulumi.yaml: type, description and default of each key, so that the engine knows them too. A key with
 * a computed default is not there: to the engine, a typed key without a default is one that every stack must set.
 */
export function projectConfig(): Record<string, object> {
  const entries = Object.entries<Setting>(SETTINGS).filter(([, setting]) => !computed(setting));
  return Object.fromEntries(
    entries.map(([key, setting]) => {
      const { type, description } = setting;
      const pulumiType = { number: "integer", list: "string", string: "string", boolean: "boolean" }[type];
      const fallback = type === "number" ? Number(setting.default) : setting.default;
      return [`${NAMESPACE}:${key}`, { type: pulumiType, description, default: fallback }];
    }),
  );
}
