import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as z from "zod";
import { parseOriginRule } from "./http/origins.ts";
import type { EmbeddingService } from "./index/semantic/embeddings.ts";
import type { ShareLimits } from "./shares/shares.ts";
import { parseStoreUrl } from "./store/valkey-url.ts";
import { type Credential, parseCredentials, parseRemotes, type Remote } from "./workspace/sync/settings.ts";

/** Where the machine keeps what the server reads; the unit's EnvironmentFile may say otherwise. */
export const DEFAULT_TOKENS_FILE = "/srv/mcp-edge/state/tokens.json";
export const DEFAULT_SESSIONS_DIR = "/srv/mcp-edge/state/sessions";
export const DEFAULT_WORKSPACE_DIR = "/srv/mcp-edge/workspace";
export const DEFAULT_INDEX_DIR = "/srv/mcp-edge/index";

export type AuthMode = "token" | "none";
export type Listen = { kind: "fd"; fd: 3 } | { kind: "tcp"; host: string; port: number };

/** The whole of what the environment decides, checked once at start. */
export interface ServerConfig {
  /** `https://domain`, without a trailing slash; undefined in development. */
  readonly publicUrl: URL | undefined;
  readonly authMode: AuthMode;
  readonly tokensFile: string;
  /** `folder`: every git work tree in it is served; `single`: the folder itself is the one repository. */
  readonly workspace: { readonly kind: "folder" | "single"; readonly dir: string };
  /** Remotes that the server itself keeps copies of in the workspace's folder. */
  readonly sync: {
    readonly remotes: readonly Remote[];
    readonly credentials: readonly Credential[];
    readonly everySeconds: number;
  };
  readonly adminSocket: string | undefined;
  readonly listen: Listen;
  /** sha256 of the release, or "dev". */
  readonly release: string;
  readonly colour: string;
  readonly logLevel: string;
  /** How long a drain waits for calls in flight, seconds. */
  readonly drainSeconds: number;
  /** Origins whose pages may call the server (beside its own and loopback), in the forms of OriginRule. */
  readonly allowedOrigins: readonly string[];
  readonly ripgrepPath: string | undefined;
  /** Folder that the server writes (counts, sessions); undefined in development: nothing is kept. */
  readonly sessionsDir: string | undefined;
  /** Which doors are open: /mcp, /api or both. */
  readonly serve: "all" | "mcp" | "api";
  readonly limits: {
    /** Requests a second; 0: no limit. */
    readonly perAddress: number;
    readonly perToken: number;
    /** Calls a day and token, for tokens without a quota of their own; 0: no limit. */
    readonly quotaPerDay: number;
    /** New requests are turned away above these; 0: never. */
    readonly eventLoopMs: number;
    readonly rssBytes: number;
  };
  /** What one token may have at once. */
  readonly shares: ShareLimits;
  /** A Valkey or Redis server that keeps the sessions instead of the folder; may hold a password: never to be logged. */
  readonly storeUrl: string | undefined;
  /** An OpenAI-compatible service; undefined: no search by meaning. */
  readonly embeddings: EmbeddingService | undefined;
  readonly index: {
    /** Folder of the symbol indexes; made when it is missing. */
    readonly dir: string;
    /** How often the repositories are looked at for changes, seconds. */
    readonly pollSeconds: number;
  };
  /** Neither started by systemd nor reachable under a public name. */
  readonly dev: boolean;
}

/** All that is wrong with the environment, one line a problem, each with its mend. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(
      `The environment is wrong in ${problems.length} place(s):\n${problems.map((p) => `  ${p}`).join("\n")}`,
    );
    this.name = "ConfigError";
    this.problems = problems;
  }
}

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

const wholeNumber = (min: number, max: number, example: string) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number from ${min} to ${max}; set ${example}`)
    .transform(Number)
    .refine((n) => n >= min && n <= max, `must be a whole number from ${min} to ${max}; set ${example}`);

const path = z.string().regex(/^\//, "must be an absolute path; write it from the root, beginning with /");

const hasCredentials = ({ username, password }: URL) => username !== "" || password !== "";

const publicUrl = z.string().transform((text, ctx) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.pathname === "/" && !url.search && !hasCredentials(url))
    return url;
  ctx.addIssue({ code: "custom", message: "must be an origin; set PUBLIC_URL=https://mcp.example.com" });
  return z.NEVER;
});

const httpUrl = z.string().transform((text, ctx) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && !hasCredentials(url)) return url;
  ctx.addIssue({
    code: "custom",
    message: "must be a URL without credentials; set EMBEDDINGS_URL=http://127.0.0.1:11434/v1",
  });
  return z.NEVER;
});

const Environment = z.object({
  PUBLIC_URL: publicUrl.optional(),
  AUTH_MODE: z.enum(["token", "none"], "must be token or none; set AUTH_MODE=token").optional(),
  AUTH_NONE_ALLOWED: z.enum(["yes", "no"], "must be yes or no; set AUTH_NONE_ALLOWED=no").default("no"),
  TOKENS_FILE: path.default(DEFAULT_TOKENS_FILE),
  WORKSPACE_DIR: z.string().optional(),
  REPOSITORIES: z.string().default(""),
  GIT_CREDENTIALS: z.string().default(""),
  SYNC_SECONDS: wholeNumber(10, 86_400, "SYNC_SECONDS=600").default(600),
  ADMIN_SOCKET: path
    .max(107, "must be at most 107 bytes (a unix socket's limit); choose a shorter path")
    .optional(),
  HOST: z.string().default("127.0.0.1"),
  PORT: wholeNumber(0, 65_535, "PORT=3000").default(3000),
  LISTEN_FDS: wholeNumber(0, 1_000, "LISTEN_FDS=1 (systemd does)").optional(),
  LISTEN_PID: z.string().optional(),
  NOTIFY_SOCKET: z.string().optional(),
  RELEASE: z.string().default("dev"),
  COLOUR: z.string().default(""),
  LOG_LEVEL: z.enum(LEVELS, `must be one of ${LEVELS.join(", ")}; set LOG_LEVEL=info`).default("info"),
  DRAIN_SECONDS: wholeNumber(0, 600, "DRAIN_SECONDS=20").default(20),
  ALLOWED_ORIGINS: z.string().default(""),
  RIPGREP_PATH: path.optional(),
  SESSIONS_DIR: path.optional(),
  SERVE: z.enum(["all", "mcp", "api"], "must be all, mcp or api; set SERVE=all").default("all"),
  RATE_LIMIT_ADDRESS: wholeNumber(0, 1_000_000, "RATE_LIMIT_ADDRESS=100").default(100),
  RATE_LIMIT_TOKEN: wholeNumber(0, 1_000_000, "RATE_LIMIT_TOKEN=100").default(100),
  QUOTA_PER_DAY: wholeNumber(0, 999_999_999, "QUOTA_PER_DAY=0").default(0),
  CALLS_PER_TOKEN: wholeNumber(0, 1_000_000, "CALLS_PER_TOKEN=32").default(32),
  LISTENS_PER_TOKEN: wholeNumber(0, 1_000_000, "LISTENS_PER_TOKEN=100").default(100),
  RESOURCES_PER_TOKEN: wholeNumber(0, 1_000_000, "RESOURCES_PER_TOKEN=1000").default(1_000),
  SESSIONS_PER_TOKEN: wholeNumber(0, 1_000_000, "SESSIONS_PER_TOKEN=1000").default(1_000),
  LIVE_SESSIONS_PER_TOKEN: wholeNumber(0, 1_000_000, "LIVE_SESSIONS_PER_TOKEN=500").default(500),
  SHED_EVENT_LOOP_MS: wholeNumber(0, 60_000, "SHED_EVENT_LOOP_MS=1000").optional(),
  SHED_RSS_MB: wholeNumber(0, 1_000_000, "SHED_RSS_MB=800").default(0),
  STORE_URL: z.string().optional(),
  INDEX_DIR: path.optional(),
  EMBEDDINGS_URL: httpUrl.optional(),
  EMBEDDINGS_MODEL: z.string().default("text-embedding-3-small"),
  EMBEDDINGS_KEY: z.string().optional(),
  INDEX_POLL_SECONDS: wholeNumber(1, 86_400, "INDEX_POLL_SECONDS=10").default(10),
  HOME: z.string().optional(),
});

/** True for the names and addresses that only this machine itself can reach. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "");
  return bare === "localhost" || bare === "::1" || (isIP(bare) === 4 && bare.startsWith("127."));
}

/** Variables whose values are words of a list or numbers. Any other may hold a secret, or be where one was put by mistake. */
const SHOWN =
  /^(AUTH_MODE|AUTH_NONE_ALLOWED|LOG_LEVEL|SERVE|PORT|LISTEN_FDS|[A-Z_]+_(SECONDS|MS|MB)|RATE_LIMIT_[A-Z_]+|QUOTA_PER_DAY)$/;

/** A variable as a problem names it, with its value where that is short and no secret by its kind. */
function shown(name: string, value: string): string {
  return SHOWN.test(name) && /^[\w.-]{1,20}$/.test(value) ? `${name}=${value}` : name;
}

/**
 * Environment -> configuration. An empty value counts as unset, as in a systemd EnvironmentFile.
 *
 * @param process_ the process's id (LISTEN_FDS holds only for LISTEN_PID, sd_listen_fds(3)) and folder
 * @throws ConfigError naming every problem at once
 */
export function readConfig(
  env: NodeJS.ProcessEnv,
  process_: { pid: number; cwd: string } = { pid: process.pid, cwd: process.cwd() },
): ServerConfig {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
  const parsed = Environment.safeParse(given);
  if (!parsed.success)
    throw new ConfigError(
      parsed.error.issues.map(
        (issue) => `${shown(String(issue.path[0]), given[String(issue.path[0])] ?? "")}: ${issue.message}`,
      ),
    );
  const e = parsed.data;
  const problems: string[] = [];
  const socket = e.LISTEN_FDS !== undefined && e.LISTEN_FDS > 0 && e.LISTEN_PID === String(process_.pid);
  const dev = !socket && !e.NOTIFY_SOCKET && !e.PUBLIC_URL;

  const onlyLocal = !socket && isLoopback(e.HOST) && (!e.PUBLIC_URL || isLoopback(e.PUBLIC_URL.hostname));
  const authMode = e.AUTH_MODE ?? (dev && onlyLocal ? "none" : "token");
  if (authMode === "none" && !onlyLocal && e.AUTH_NONE_ALLOWED !== "yes")
    problems.push(
      "AUTH_MODE=none: anybody who reaches this server could read the workspace. Set AUTH_MODE=token, or AUTH_NONE_ALLOWED=yes if that is meant",
    );

  const allowedOrigins = e.ALLOWED_ORIGINS.split(/[\s,]+/).filter(Boolean);
  for (const [n, entry] of allowedOrigins.entries())
    if (!parseOriginRule(entry))
      problems.push(
        `ALLOWED_ORIGINS: entry ${n + 1} is not an origin; write https://chat.example.com, https://*.example.com or vscode-webview://*`,
      );
  try {
    if (e.STORE_URL !== undefined) parseStoreUrl(e.STORE_URL);
  } catch (error) {
    problems.push(`STORE_URL ${(error as Error).message}`);
  }
  const { remotes, problems: wrongRemotes } = parseRemotes(e.REPOSITORIES);
  const { credentials, problems: wrongCredentials } = parseCredentials(e.GIT_CREDENTIALS);
  problems.push(...wrongRemotes, ...wrongCredentials);
  if (problems.length) throw new ConfigError(problems);
  const cache = join(e.HOME ?? tmpdir(), ".cache/mcp-edge");
  const workspaceDir =
    e.WORKSPACE_DIR ??
    (dev ? (remotes.length > 0 ? join(cache, "workspace") : undefined) : DEFAULT_WORKSPACE_DIR);

  return {
    publicUrl: e.PUBLIC_URL,
    authMode,
    tokensFile: e.TOKENS_FILE,
    workspace:
      workspaceDir === undefined
        ? { kind: "single", dir: process_.cwd }
        : { kind: "folder", dir: resolve(process_.cwd, workspaceDir) },
    sync: { remotes, credentials, everySeconds: e.SYNC_SECONDS },
    adminSocket: e.ADMIN_SOCKET,
    listen: socket ? { kind: "fd", fd: 3 } : { kind: "tcp", host: e.HOST, port: e.PORT },
    release: e.RELEASE,
    colour: e.COLOUR,
    logLevel: e.LOG_LEVEL,
    drainSeconds: e.DRAIN_SECONDS,
    allowedOrigins,
    ripgrepPath: e.RIPGREP_PATH,
    storeUrl: e.STORE_URL,
    sessionsDir: e.SESSIONS_DIR ?? (dev ? undefined : DEFAULT_SESSIONS_DIR),
    serve: e.SERVE,
    limits: {
      perAddress: e.RATE_LIMIT_ADDRESS,
      perToken: e.RATE_LIMIT_TOKEN,
      quotaPerDay: e.QUOTA_PER_DAY,
      // In development nothing is shed: a debugger's pause is no overload.
      eventLoopMs: e.SHED_EVENT_LOOP_MS ?? (dev ? 0 : 1_000),
      rssBytes: e.SHED_RSS_MB * 1024 * 1024,
    },
    shares: {
      calls: e.CALLS_PER_TOKEN,
      listens: e.LISTENS_PER_TOKEN,
      resources: e.RESOURCES_PER_TOKEN,
      sessions: e.SESSIONS_PER_TOKEN,
      liveSessions: e.LIVE_SESSIONS_PER_TOKEN,
    },
    embeddings: e.EMBEDDINGS_URL && {
      url: e.EMBEDDINGS_URL,
      model: e.EMBEDDINGS_MODEL,
      key: e.EMBEDDINGS_KEY,
    },
    index: {
      dir: e.INDEX_DIR ?? (dev ? join(cache, "index") : DEFAULT_INDEX_DIR),
      pollSeconds: e.INDEX_POLL_SECONDS,
    },
    dev,
  };
}
