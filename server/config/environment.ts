import * as z from "zod";
import * as type from "./types.ts";
import { variable } from "./variable.ts";

/** On the machine; in development some of these are not used (see `readConfig`). */
export const MACHINE_FOLDERS = {
  sessions: "/srv/mcp-edge/state/sessions",
  workspace: "/srv/mcp-edge/workspace",
  index: "/srv/mcp-edge/index",
  audit: "/srv/mcp-edge/audit",
} as const;

const SYSTEMD = "systemd";
const UNIT = "the unit";

/**
 * Every variable that the server reads. To add one, add it here: the configuration gets a field of the same name, problems and
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
  jwt: z.object({
    issuer: variable("JWT_ISSUER", type.serviceUrl, {
      description:
        "For `AUTH_MODE=jwt`: the issuer of access tokens (RFC 9068), as its metadata and the tokens' `iss` spell it, but for a slash at the end.",
      example: "https://login.example.com",
    }),
    audience: variable("JWT_AUDIENCE", type.text("an audience"), {
      description: "The audience (`aud`) that these tokens must have.",
      example: "api://mcp-edge",
      unset: "this server's `/mcp`",
    }),
    untypedAllowed: variable("JWT_UNTYPED_ALLOWED", type.choice("yes", "no"), {
      description:
        "Accepts access tokens whose header has the type `JWT` or none, for issuers that do not set `at+jwt` (RFC 9068): Entra, Keycloak, Auth0's and Okta's default. ID tokens of such an issuer are still refused by their audience and claims.",
      default: "no",
    }),
    scopes: variable("JWT_SCOPES", type.scopeMap, {
      description:
        "What the issuer's scopes or roles stand for here: `theirs=ours`, separated by blanks. Ours: `code:read`, `ops`. Without it they have the same names.",
      default: "",
      example: "mcp.read=code:read mcp.admin=ops",
    }),
    clockSkew: variable("JWT_CLOCK_SKEW", type.wholeNumber(0, 300), {
      description: "By how much the issuer's clock and this one may differ.",
      default: "60",
      unit: "seconds",
    }),
  }),
  identity: z.object({
    providers: variable("IDENTITY_PROVIDERS", type.identityProviders, {
      description:
        "With what people sign in (`AUTH_MODE=oauth`): `google client=ID`, `github client=ID`, `entra tenant=GUID client=ID`, `oidc issuer=URL client=ID label=NAME`, each with `allow=` (who may) and, where wanted, `ops=` (who of them also gets the scope `ops`), separated by `;`. WHO: `ada@example.com`, `@example.com` (verified addresses), `group:NAME`, `user:NAME`; for `oidc` and `entra` also `*`. On a machine: the setting `identityProviders`.",
      default: "",
      example: "google client=123.apps.googleusercontent.com allow=@example.com",
    }),
    secretsFile: variable("IDENTITY_PROVIDER_SECRETS_FILE", type.absolutePath, {
      description:
        "File with a line `google=CLIENT_SECRET` for each of these. On a machine: a systemd credential, from the setting `identityProviderSecrets`.",
      example: "/etc/mcp-edge/identity-provider-secrets",
    }),
    localSignIn: variable("LOCAL_SIGN_IN", type.choice("yes", "no"), {
      description:
        "Whether people with a passkey or password of this server may sign in beside those of `IDENTITY_PROVIDERS`. `no` also ends the connections of such people, when their clients refresh.",
      default: "yes",
    }),
    checkMinutes: variable("IDENTITY_CHECK_MINUTES", type.wholeNumber(1, 1_440), {
      description:
        "How often a provider is asked whether a person is still there and still allowed: when a client refreshes its token, and not more often than this.",
      default: "60",
      unit: "minutes",
    }),
  }),
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
  limits: z.object({
    perAddress: variable("RATE_LIMIT_ADDRESS", type.wholeNumber(0, 1_000_000), {
      description:
        "Rate limit of one address; an IPv6 address counts as its /64. A bucket holds two seconds' worth. 0: no limit.",
      default: "100",
      unit: "requests a second",
    }),
    perToken: variable("RATE_LIMIT_TOKEN", type.wholeNumber(0, 1_000_000), {
      description: "The same for one token, wherever it is used from.",
      default: "100",
      unit: "requests a second",
    }),
    quotaPerDay: variable("QUOTA_PER_DAY", type.wholeNumber(0, 999_999_999), {
      description:
        "Calls (POST) of one token until midnight UTC. A token's own `--quota` takes precedence. 0: no limit.",
      default: "0",
      unit: "calls a day",
    }),
    eventLoopMs: variable("SHED_EVENT_LOOP_MS", type.wholeNumber(0, 60_000), {
      description:
        "While the event loop's mean delay is above this, new requests get 503. Not refused: `/readyz`, `/metrics`, `/capz`. 0: never.",
      example: "1000",
      unit: "milliseconds",
      unset: "`1000`; in development `0`, because a debugger's pause is no overload",
    }),
    rssBytes: variable("SHED_RSS_MB", type.mebibytes(1_000_000), {
      description:
        "The same by resident memory. Off by default: memory that stays in use would keep the server refusing until it is restarted.",
      default: "0",
      example: "800",
      unit: "MiB",
    }),
  }),
  shares: z.object({
    calls: variable("CALLS_PER_TOKEN", type.wholeNumber(0, 1_000_000), {
      description: "Tool calls of one token in progress at once. 0: no limit, here and in the next four.",
      default: "32",
    }),
    listens: variable("LISTENS_PER_TOKEN", type.wholeNumber(0, 1_000_000), {
      description: "`subscriptions/listen` streams of one token; all tokens together: 12,000.",
      default: "100",
    }),
    resources: variable("RESOURCES_PER_TOKEN", type.wholeNumber(0, 1_000_000), {
      description:
        "Resources that the sessions and streams of one token follow; one of them follows at most 100.",
      default: "1000",
    }),
    sessions: variable("SESSIONS_PER_TOKEN", type.wholeNumber(0, 1_000_000), {
      description: "Stored sessions of one token. Beyond this its least recently used ones are removed.",
      default: "1000",
    }),
    liveSessions: variable("LIVE_SESSIONS_PER_TOKEN", type.wholeNumber(0, 1_000_000), {
      description: "Of these, sessions in the memory of one machine; all tokens together: 10,000.",
      default: "500",
    }),
  }),
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
  index: z.object({
    dir: variable("INDEX_DIR", type.absolutePath, {
      description: "Folder of the code index; created if missing.",
      example: MACHINE_FOLDERS.index,
      unset: `\`${MACHINE_FOLDERS.index}\`; in development \`~/.cache/mcp-edge/index\``,
    }),
    pollSeconds: variable("INDEX_POLL_SECONDS", type.wholeNumber(1, 86_400), {
      description: "Interval at which the repositories are checked for changes.",
      default: "10",
      unit: "seconds",
    }),
    typescript: variable("INDEX_TYPESCRIPT", type.choice("yes", "no"), {
      description:
        "Whether the server makes precise indexes of TypeScript and JavaScript, with the compiler in a process of its own.",
      default: "yes",
    }),
    python: variable("INDEX_PYTHON", type.absolutePath, {
      description:
        "The `index.js` of scip-python (npm: `@sourcegraph/scip-python`). The server then makes precise indexes of Python with it, in a process without network, child processes and write access.",
      unset: "none: upload indexes of Python",
      example: "/opt/scip-python/index.js",
    }),
  }),
  sync: z.object({
    remotes: variable("REPOSITORIES", type.remotes, {
      description:
        "Remotes that the server copies into the workspace: `URL` or `NAME=URL`, either with `#BRANCH`, separated by blanks.",
      default: "",
      example: "https://git.example.com/owner/name",
    }),
    credentials: variable("GIT_CREDENTIALS", type.credentials, {
      description:
        "Credentials for these, `https://user:token@host`, separated by blanks. Each is sent to that host only and never logged.",
      default: "",
      example: "https://user:token@git.example.com",
      secret: true,
    }),
    everySeconds: variable("SYNC_SECONDS", type.wholeNumber(10, 86_400), {
      description: "From the end of one round of fetching to the next.",
      default: "600",
      unit: "seconds",
    }),
  }),
  embeddings: z.object({
    url: variable("EMBEDDINGS_URL", type.serviceUrl, {
      description: "An OpenAI-compatible API. Adds `search_semantic`. The code is sent there.",
      example: "http://127.0.0.1:11434/v1",
    }),
    model: variable("EMBEDDINGS_MODEL", type.text("a model's name"), {
      description: "The model to ask for.",
      default: "text-embedding-3-small",
    }),
    key: variable("EMBEDDINGS_KEY", type.text("a bearer token"), {
      description: "Sent to the embedding service.",
      secret: true,
    }),
  }),
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
  adminSocket: variable("ADMIN_SOCKET", type.socketPath, {
    description: "The private socket of this instance.",
    example: "/run/mcp-edge/blue.sock",
    setBy: UNIT,
  }),
  status: z.object({
    dir: variable("STATUS_DIR", type.absolutePath, {
      description:
        "Folder in which the instances of a machine share the figures of the last hour, for `/status`. Without it each keeps its own, in memory.",
      example: "/run/mcp-edge",
      setBy: UNIT,
    }),
    machineFile: variable("MACHINE_REPORT", type.absolutePath, {
      description: "The file in which the machine reports its certificate and bans, for `/status`.",
      example: "/run/mcp-edge-report/machine.json",
      setBy: UNIT,
    }),
  }),
  release: variable("RELEASE", type.text("a release"), {
    description: "The release's sha256.",
    default: "dev",
    setBy: UNIT,
  }),
  slot: variable("COLOUR", type.text("a slot"), {
    description: "The deployment slot: `blue` or `green`.",
    default: "",
    setBy: UNIT,
  }),
  systemd: z.object({
    listenFds: variable("LISTEN_FDS", type.wholeNumber(0, 1_000), {
      description: "Number of sockets that are passed (sd_listen_fds(3)).",
      example: "1",
      setBy: SYSTEMD,
    }),
    listenPid: variable("LISTEN_PID", type.text("a process id"), {
      description: "The process that the sockets are for.",
      setBy: SYSTEMD,
    }),
    notifySocket: variable("NOTIFY_SOCKET", type.text("a socket"), {
      description: "Where readiness is reported (sd_notify(3)).",
      setBy: SYSTEMD,
    }),
    watchdogUsec: variable("WATCHDOG_USEC", type.text("a number"), {
      description: "Interval of the watchdog (sd_watchdog_enabled(3)).",
      unit: "microseconds",
      setBy: SYSTEMD,
    }),
    watchdogPid: variable("WATCHDOG_PID", type.text("a process id"), {
      description: "The process that the watchdog watches.",
      setBy: SYSTEMD,
    }),
  }),
  home: variable("HOME", type.text("a path"), {
    description: "In development, `~/.cache/mcp-edge` holds the index and the copies of remotes.",
    setBy: "the shell",
  }),
  path: variable("PATH", type.text("paths"), {
    description: "Where programs are looked for.",
    default: "/usr/bin:/bin",
    setBy: "the shell",
  }),
});
