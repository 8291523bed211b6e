import * as z from "zod";
import { limits, shares } from "./environment/limits.ts";
import { processVariables } from "./environment/process.ts";
import { embeddings, index, sync } from "./environment/repositories.ts";
import { identity, jwt } from "./environment/sign-in.ts";
import { MACHINE_FOLDERS } from "./machine-folders.ts";
import * as type from "./types.ts";
import { variable } from "./variable.ts";

/**
 * Every variable that the server reads. To add one, add it here or to its group in `environment/`: the configuration gets a field of the same name, problems and
 * `--help` name it, and `npm run docs` writes it into docs/server.md. What an operator sets comes in the order of that table.
 */
export const Environment = z.object({
  publicUrl: variable("PUBLIC_URL", type.origin, {
    description: "The address that clients use.",
    example: "https://mcp.example.com",
    unset: "none: the server is in development",
  }),
  authMode: variable("AUTH_MODE", type.choice("token", "oauth", "jwt", "none"), {
    description:
      "`token`: static tokens. `oauth`: people sign in here, and clients get access tokens; static tokens work too. `jwt`: access tokens of `JWT_ISSUER`, and static tokens. `none` lets every client in without a token. Off loopback this requires `AUTH_NONE_ALLOWED=yes`.",
    example: "token",
    unset: "`token`; in development on loopback `none`",
  }),
  authNoneAllowed: variable("AUTH_NONE_ALLOWED", type.choice("yes", "no"), {
    description: "Confirms `AUTH_MODE=none` for a server that other machines reach.",
    default: "no",
  }),
  tokensFile: variable("TOKENS_FILE", type.absolutePath, {
    description: "File of the tokens' hashes.",
    default: "/srv/mcp-edge/state/tokens.json",
  }),
  tokenDomain: variable("TOKEN_DOMAIN", type.hostName, {
    description:
      "A second host name of this server, which takes static tokens only and has no OAuth: for clients that ignore a pasted token wherever they find OAuth.",
    example: "token.mcp.example.com",
  }),
  jwt,
  identity,
  grants: variable("GRANTS", type.grants, {
    description:
      "Who may see what: `WHO scopes=… repositories=… tools=…`, several separated by `;`. WHO: `user:LOGIN`, `group:GROUP`, `token:NAME` or `*`. Lists have commas between names or patterns (`app-*`); a list that is left out stands for all. A caller has what any of their entries gives, and no more than the token's scopes; without an entry, nothing. On a machine: the setting `grants`.",
    default: "",
    example: "group:dev repositories=app-*,docs; token:ci tools=search_*,read_file",
  }),
  workspaceDir: variable("WORKSPACE_DIR", type.text("a path"), {
    description: "Folder whose git work trees are served.",
    example: MACHINE_FOLDERS.workspace,
    unset: `\`${MACHINE_FOLDERS.workspace}\`; in development the current folder is the one repository`,
  }),
  allowedOrigins: variable("ALLOWED_ORIGINS", type.originRules, {
    description:
      "Origins whose pages may call, besides the server's own and loopback: `https://chat.example.com`, `chat.example.com` (any scheme and port), `https://*.example.com`, `vscode-webview://*` (a whole scheme, for desktop and extension clients), `null`. On a machine: the setting `allowedOrigins`.",
    default: "",
    example: "https://chat.example.com",
  }),
  limits,
  shares,
  storeUrl: variable("STORE_URL", type.storeUrl, {
    description:
      "Valkey or Redis (`valkey://`, `valkeys://`, `unix:///path`): sessions, limits and counts are shared by all machines.",
    example: "valkey://127.0.0.1:6379/0",
    secret: true,
  }),
  sessionsDir: variable("SESSIONS_DIR", type.absolutePath, {
    description: "Folder of what the server itself stores: sessions and counts.",
    example: MACHINE_FOLDERS.sessions,
    unset: `\`${MACHINE_FOLDERS.sessions}\`; in development nothing is stored`,
  }),
  audit: z.object({
    dir: variable("AUDIT_DIR", type.absolutePath, {
      description: "Folder of the audit log; created if missing.",
      example: MACHINE_FOLDERS.audit,
      unset: `\`${MACHINE_FOLDERS.audit}\`; in development there is no audit log`,
    }),
    fileBytes: variable("AUDIT_FILE_MB", type.mebibytes(1_024, 1), {
      description: "A file of the audit log that has reached this size is followed by a new one.",
      default: "16",
      unit: "MiB",
    }),
    files: variable("AUDIT_FILES", type.wholeNumber(2, 10_000), {
      description: "Number of these files; older ones are removed.",
      default: "20",
    }),
    withArguments: variable("AUDIT_ARGUMENTS", type.choice("yes", "no"), {
      description: "Whether the audit log also holds the arguments of tool calls. They may be confidential.",
      default: "no",
    }),
  }),
  index,
  sync,
  embeddings,
  serve: variable("SERVE", type.choice("all", "mcp", "api"), {
    description: "The endpoints: `/mcp`, `/api` or both.",
    default: "all",
  }),
  drainSeconds: variable("DRAIN_SECONDS", type.wholeNumber(0, 600), {
    description: "How long a shutdown waits for calls in flight.",
    default: "20",
    unit: "seconds",
  }),
  logLevel: variable("LOG_LEVEL", type.choice("trace", "debug", "info", "warn", "error", "fatal", "silent"), {
    description: "The least severe level that is logged.",
    default: "info",
  }),
  host: variable("HOST", type.text("an address"), {
    description: "The address to listen on, without a socket from systemd.",
    default: "127.0.0.1",
  }),
  port: variable("PORT", type.wholeNumber(0, 65_535), {
    description: "The port to listen on, without a socket from systemd. 0: a free one.",
    default: "3000",
  }),
  chatGptTools: variable("CHATGPT_TOOLS", type.choice("auto", "always"), {
    description:
      "Who is offered the tools `search` and `fetch` on `/mcp`. `auto`: only ChatGPT, which requires them. `always`: every client. The other tools do the same better.",
    default: "auto",
  }),
  directCalls: variable("DIRECT_CALLS", type.choice("yes", "no"), {
    description:
      "Whether plain calls and lists of tools are answered without the MCP SDK, several times faster. The answers are the same.",
    default: "yes",
  }),
  ripgrepPath: variable("RIPGREP_PATH", type.absolutePath, {
    description: "The `rg` program.",
    example: "/usr/bin/rg",
    unset: "the one that comes with the server, else the one in `PATH`",
  }),
  tracing: variable("OTEL_*", z.record(z.string(), z.string()).meta({ type: "text" }), {
    description:
      "OpenTelemetry's own variables. Any of them starts tracing: `OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318`. `OTEL_METRICS_EXPORTER=none`: spans only.",
  }),
  ...processVariables,
});
