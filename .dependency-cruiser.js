/**
 * Which part of the tree may import which (docs/architecture.md). `npm run check` holds it.
 *
 * Pure renderers turn settings into text and tables. Components turn those into resources. Entry points run them.
 * Imports go from entry points towards renderers, never back.
 */

/** Pure: no resources, no network, no child process. */
const RENDERERS = [
  "^cloud-init/",
  "^infra/(instance-types|settings|workspace-credentials)[.]ts$",
  "^infra/settings/(?!write-docs)",
  "^infra/aws/(acme|alarm-table|cost|desired|firewall-rules|identity-policy|image-parameter|machine-names|provider-settings|records|service-endpoint|tags)[.]ts$",
].join("|");

/** What one folder of `cli/` may not import from the others: the arrows go commands -> operations -> everything else. */
const CLI_LIBRARIES = "^cli/(aws|connect|doctor|engine|http3|machine|stack)/";

export default {
  forbidden: [
    {
      name: "no-cycles",
      comment: "Two files that import each other are one file, or the shared part belongs into a third one.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "renderers-import-renderers",
      comment:
        "A pure renderer does not import a component or an entry point. Move what it needs into a pure module.",
      severity: "error",
      from: { path: RENDERERS },
      to: { path: "^(infra|cli|server|index[.]ts)", pathNot: RENDERERS },
    },
    {
      name: "renderers-make-no-resources",
      comment: "A pure renderer may use the types of the Pulumi SDK, not the SDK.",
      severity: "error",
      from: { path: RENDERERS },
      to: { path: "node_modules/(@pulumi|@aws-sdk)/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "server-stands-alone",
      comment: "The server is bundled and runs on the machine: it knows nothing of what provisions it.",
      severity: "error",
      from: { path: "^server/" },
      to: { path: "^(infra|cli|cloud-init|index[.]ts)" },
    },
    {
      name: "provisioning-knows-no-server",
      comment: "Provisioning and server meet in the release archive and in the environment file alone.",
      severity: "error",
      from: { path: "^(infra|cloud-init|cli|index[.]ts)" },
      to: { path: "^server/" },
    },
    {
      name: "no-import-of-the-command-line",
      comment: "The command line is an entry point: nothing but its own files, bench and tests imports it.",
      severity: "error",
      from: { path: "^(infra|cloud-init|server|index[.]ts)" },
      to: { path: "^cli/" },
    },
    {
      name: "targets-do-not-meet",
      comment:
        "AWS and the local machine are two implementations. What both need belongs into infra/ or cloud-init/.",
      severity: "error",
      from: { path: "^infra/(aws|local)/" },
      to: { path: "^infra/(aws|local)/", pathNot: "^infra/$1/" },
    },
    {
      name: "cli-arrows",
      comment: "In cli/: commands import operations, operations import the rest.",
      severity: "error",
      from: { path: CLI_LIBRARIES },
      to: { path: "^cli/(commands|operations)/|^cli/(main|program)[.]ts$" },
    },
    {
      name: "operations-print-nothing",
      comment: "Options and output belong to cli/commands/. An operation returns what happened.",
      severity: "error",
      from: { path: "^cli/operations/" },
      to: { path: "^cli/(commands/|main[.]ts|program[.]ts)" },
    },
    {
      name: "doctor-knows-no-stack",
      comment: "Doctor examines any host. What it needs of a stack is handed to it.",
      severity: "error",
      from: { path: "^cli/(doctor|http3)/" },
      to: { path: "^cli/", pathNot: "^cli/(aws|doctor|http3)/" },
    },
    {
      name: "no-tests-in-source",
      severity: "error",
      from: { path: "^(cli|cloud-init|infra|server|index[.]ts)" },
      to: { path: "^(test|bench)/" },
    },
    {
      name: "dependencies-are-declared",
      comment: "What the source imports at run time is in `dependencies` of package.json.",
      severity: "error",
      from: { path: "^(cli|cloud-init|infra|server|index[.]ts)" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg"], dependencyTypesNot: ["type-only"] },
    },
    { name: "no-dangling-imports", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    // TypeScript 7 has no compiler API; swc reads the syntax.
    parser: "swc",
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["node", "import", "default", "types"],
    },
  },
};
