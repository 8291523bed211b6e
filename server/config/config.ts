import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as z from "zod";
import { isLoopback } from "../http/peer.ts";
import type { EmbeddingService } from "../index/semantic/embeddings.ts";
import { Environment } from "./environment.ts";
import { MACHINE_FOLDERS } from "./machine-folders.ts";
import { ConfigError, parseVariables, type Values } from "./variable.ts";

export type AuthMode = "token" | "oauth" | "jwt" | "none";
export type Listen = { kind: "fd"; fd: 3 } | { kind: "tcp"; host: string; port: number };

type Parsed = Values<typeof Environment>;

/** Variables that `readConfig` replaces with what follows from them together. */
type Derived =
  | "publicUrl"
  | "authMode"
  | "authNoneAllowed"
  | "workspaceDir"
  | "limits"
  | "index"
  | "audit"
  | "embeddings"
  | "directCalls";
type Local = "host" | "port" | "home" | "path" | "tracing" | "systemd";

/** The configuration: the variables of `Environment` by their field names, and what follows from them. Read once, at start. */
export interface ServerConfig extends Omit<Parsed, Derived | Local> {
  readonly publicUrl: URL | undefined;
  readonly authMode: AuthMode;
  /** `folder`: every git work tree in it is served; `single`: the folder itself is the one repository. */
  readonly workspace: { readonly kind: "folder" | "single"; readonly dir: string };
  readonly listen: Listen;
  readonly limits: Omit<Parsed["limits"], "eventLoopMs"> & { readonly eventLoopMs: number };
  /** `dir` undefined: no audit log. */
  readonly audit: Omit<Parsed["audit"], "withArguments"> & { readonly withArguments: boolean };
  /** Whether plain calls are answered without the MCP SDK. */
  readonly directCalls: boolean;
  readonly index: Omit<Parsed["index"], "dir"> & { readonly dir: string };
  /** undefined: no search by meaning. */
  readonly embeddings: EmbeddingService | undefined;
  /** undefined: no tracing. OpenTelemetry's SDK reads its other variables itself. */
  readonly tracing: TracingConfig | undefined;
  /** What systemd asks this process to do. */
  readonly systemd: {
    readonly notifySocket: string | undefined;
    /** Time after which systemd misses a sign of life, milliseconds. */
    readonly watchdogMs: number | undefined;
  };
  /** Neither started by systemd nor reachable under a public name. */
  readonly dev: boolean;
}

/** Variables that only systemd sets, for this process alone (sd_listen_fds(3)): no child may take them for its own. */
export const PROCESS_VARIABLES = ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NOTIFY_SOCKET"] as const;

/**
 * Environment -> configuration.
 *
 * @param process_ the process's id and folder
 * @throws ConfigError naming every problem at once
 */
export function readConfig(
  env: NodeJS.ProcessEnv,
  process_: { pid: number; cwd: string } = { pid: process.pid, cwd: process.cwd() },
): ServerConfig {
  const {
    host,
    port,
    home,
    path: _,
    tracing,
    systemd,
    authNoneAllowed,
    workspaceDir,
    ...e
  } = parseVariables(Environment, env);
  const socket = (systemd.listenFds ?? 0) > 0 && systemd.listenPid === String(process_.pid);
  const dev = !socket && !systemd.notifySocket && !e.publicUrl;

  const onlyLocal = !socket && isLoopback(host) && (!e.publicUrl || isLoopback(e.publicUrl.hostname));
  const authMode = e.authMode ?? (dev && onlyLocal ? "none" : "token");
  if (authMode === "none" && !onlyLocal && authNoneAllowed !== "yes")
    throw new ConfigError([
      "AUTH_MODE=none: any client that reaches this server could read the workspace. Set AUTH_MODE=token, or AUTH_NONE_ALLOWED=yes if that is intended",
    ]);

  // A developer's own sign-in needs no name.
  const publicUrl = e.publicUrl ?? (onlyLocal && port > 0 ? new URL(`http://localhost:${port}`) : undefined);
  const problems = [
    ...signInProblems(authMode, publicUrl, e.jwt.issuer),
    ...identityProblems(authMode, e.identity),
  ];
  if (problems.length > 0) throw new ConfigError(problems);

  const cache = join(home ?? tmpdir(), ".cache/mcp-edge");
  const devWorkspace = e.sync.remotes.length > 0 ? join(cache, "workspace") : undefined;
  const folder = workspaceDir ?? (dev ? devWorkspace : MACHINE_FOLDERS.workspace);
  const { url, model, key } = e.embeddings;

  return {
    ...e,
    publicUrl: authMode === "oauth" || authMode === "jwt" ? publicUrl : e.publicUrl,
    authMode,
    workspace:
      folder === undefined
        ? { kind: "single", dir: process_.cwd }
        : { kind: "folder", dir: resolve(process_.cwd, folder) },
    listen: socket ? { kind: "fd", fd: 3 } : { kind: "tcp", host, port },
    sessionsDir: e.sessionsDir ?? (dev ? undefined : MACHINE_FOLDERS.sessions),
    audit: {
      ...e.audit,
      dir: e.audit.dir ?? (dev ? undefined : MACHINE_FOLDERS.audit),
      withArguments: e.audit.withArguments === "yes",
    },
    // In development nothing is shed: a debugger's pause is no overload.
    limits: { ...e.limits, eventLoopMs: e.limits.eventLoopMs ?? (dev ? 0 : 1_000) },
    directCalls: e.directCalls === "yes",
    embeddings: url && { url, model, key },
    index: { ...e.index, dir: e.index.dir ?? (dev ? join(cache, "index") : MACHINE_FOLDERS.index) },
    tracing: tracingOf(tracing ?? {}),
    systemd: { notifySocket: systemd.notifySocket, watchdogMs: watchdogOf(systemd, process_.pid) },
    dev,
  };
}

/** What `oauth` and `jwt` need: clients compare the server's address with its metadata, and browsers send cookies of sign-ins by https. */
function signInProblems(mode: AuthMode, publicUrl: URL | undefined, issuer: URL | undefined): string[] {
  if (mode !== "oauth" && mode !== "jwt") return [];
  const problems: string[] = [];
  if (!publicUrl)
    problems.push(`AUTH_MODE=${mode} needs the server's address: set PUBLIC_URL=https://mcp.example.com`);
  else if (publicUrl.protocol !== "https:" && !isLoopback(publicUrl.hostname))
    problems.push(`PUBLIC_URL: AUTH_MODE=${mode} needs https; set PUBLIC_URL=https://${publicUrl.hostname}`);
  if (mode === "jwt" && !issuer)
    problems.push(
      "AUTH_MODE=jwt needs the issuer of the access tokens: set JWT_ISSUER=https://login.example.com",
    );
  return problems;
}

/** What would leave a provider without effect, or everybody without a way to sign in. */
function identityProblems(
  mode: AuthMode,
  { providers, secretsFile, localSignIn }: Parsed["identity"],
): string[] {
  const problems: string[] = [];
  if (providers.length > 0 && mode !== "oauth")
    problems.push("IDENTITY_PROVIDERS is for AUTH_MODE=oauth: set AUTH_MODE=oauth, or remove it");
  if (providers.length > 0 && secretsFile === undefined)
    problems.push(
      "IDENTITY_PROVIDERS needs the client secrets: set IDENTITY_PROVIDER_SECRETS_FILE to a file with lines such as google=SECRET",
    );
  if (providers.length === 0 && localSignIn === "no")
    problems.push("LOCAL_SIGN_IN=no: nobody could sign in without IDENTITY_PROVIDERS; set LOCAL_SIGN_IN=yes");
  return problems;
}

/** What the server tells OpenTelemetry's SDK. */
interface TracingConfig {
  readonly serviceName: string | undefined;
  /** Whether spans are exported. */
  readonly spans: boolean;
  /** Whether metrics are exported. */
  readonly metrics: boolean;
}

/**
 * The SDK exports both spans and metrics to a collector on this host by default. Where somebody has chosen an exporter for one of them and
 * named no collector, the other would wait for an answer in vain, also when the server stops. So the other is left out.
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
function tracingOf(variables: Record<string, string>): ServerConfig["tracing"] {
  if (Object.keys(variables).length === 0) return undefined;
  if (variables.OTEL_SDK_DISABLED?.trim().toLowerCase() === "true") return undefined;
  const hasCollector = Object.keys(variables).some((name) =>
    /^OTEL_EXPORTER_OTLP_(\w+_)?ENDPOINT$/.test(name),
  );
  const { OTEL_TRACES_EXPORTER: forSpans, OTEL_METRICS_EXPORTER: forMetrics } = variables;
  return {
    serviceName: variables.OTEL_SERVICE_NAME,
    spans: hasCollector || forSpans !== undefined || forMetrics === undefined,
    metrics: hasCollector || forMetrics !== undefined || forSpans === undefined,
  };
}

/** sd_watchdog_enabled(3): the variables may be inherited from another process. */
function watchdogOf({ watchdogUsec, watchdogPid }: Parsed["systemd"], pid: number): number | undefined {
  const usec = Number(watchdogUsec);
  const ours = watchdogPid === undefined || watchdogPid === String(pid);
  return Number.isFinite(usec) && usec > 0 && ours ? usec / 1_000 : undefined;
}

/**
 * What the `token` command reads. It runs beside a server, whose other variables it must not depend on.
 *
 * @throws ConfigError
 */
export function readTokenConfig(env: NodeJS.ProcessEnv) {
  const { tokensFile, sessionsDir, storeUrl } = Environment.shape;
  const config = parseVariables(z.object({ tokensFile, sessionsDir, storeUrl }), env);
  return { ...config, sessionsDir: config.sessionsDir ?? MACHINE_FOLDERS.sessions };
}

/** What the command `user` reads. @throws ConfigError */
export function readPeopleConfig(env: NodeJS.ProcessEnv) {
  const { publicUrl, authMode } = Environment.shape;
  const { localSignIn } = Environment.shape.identity.shape;
  return { ...parseVariables(z.object({ publicUrl, authMode, localSignIn }), env), ...readTokenConfig(env) };
}

/**
 * What the `audit` command reads; like readTokenConfig.
 *
 * @throws ConfigError
 */
export function readAuditConfig(env: NodeJS.ProcessEnv) {
  const { dir } = Environment.shape.audit.shape;
  const { auditDir } = parseVariables(z.object({ auditDir: dir }), env);
  return { auditDir: auditDir ?? MACHINE_FOLDERS.audit };
}
