import type { Check, CheckResult, DoctorReport } from "./check.ts";
import { CHECKS } from "./checks/index.ts";
import { Context } from "./context.ts";
import { Limit } from "./limit.ts";
import { outcomeOf } from "./outcome.ts";
import {
  type AuthMode,
  DoctorUsageError,
  parseConnect,
  parseOrigin,
  readCa,
  type TargetMachine,
} from "./target.ts";

export type { CheckResult, DoctorReport } from "./check.ts";

export interface DoctorOptions {
  /** `https://host` or `https://host:port`. */
  url: string;
  /** PEM text, or the path of a PEM file, trusted beside the system's roots. */
  ca?: string;
  /** IP address to connect to instead of asking DNS. */
  connect?: string;
  /** Bearer token for /mcp. Appears in no output. */
  token?: string;
  /** How the server lets callers in. Default: unknown, a token or OAuth. */
  auth?: AuthMode;
  /** Where the host is a machine of a stack. Default: advice assumes a machine with NGINX. */
  machine?: TargetMachine;
  /** TCP port of plain HTTP. Default 80. */
  httpPort?: number;
  /** Limit of one check, milliseconds. Default 10 000; the keep-alive checks wait 16 s in any case. */
  timeoutMs?: number;
  /** Leave out what needs a token: none exists before a machine's first deployment. */
  noToken?: boolean;
  /** Which checks. Default all. */
  checks?: readonly Check[];
  /** Told when a check begins and when it is over. */
  onProgress?: (event: DoctorProgress) => void;
}

export type DoctorProgress =
  | { kind: "started"; id: string; title: string; total: number }
  | { kind: "done"; result: CheckResult; total: number };

const DEFAULT_LIMIT_MS = 10_000;

/**
 * Examines a host: runs all checks, side by side as far as none needs another's success.
 * Failures are in the report; nothing of the network makes it reject.
 * @throws DoctorUsageError when the address or an option is wrong
 */
export async function runDoctor(options: DoctorOptions): Promise<DoctorReport> {
  const url = parseOrigin(options.url);
  const limitMs = options.timeoutMs ?? DEFAULT_LIMIT_MS;
  if (!(limitMs > 0))
    throw new DoctorUsageError(`The limit of a check must be more than 0 ms, not ${limitMs}`);
  const target = {
    origin: url.origin,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port || 443),
    httpPort: options.httpPort ?? 80,
    connect: options.connect === undefined ? undefined : parseConnect(options.connect),
    ca: options.ca === undefined ? undefined : readCa(options.ca),
    token: options.token,
    auth: options.auth,
    machine: options.machine,
  } as const;
  const context = new Context(target, limitMs);
  const at = new Date().toISOString();
  const started = performance.now();
  try {
    const all = options.checks ?? CHECKS;
    const chosen = options.noToken ? withoutToken(all) : all;
    const checks = await runChecks(chosen, context, options.onProgress);
    const ms = Math.round(performance.now() - started);
    const leftOut = all.filter((check) => !chosen.includes(check)).map(({ title }) => title);
    const ok = checks.every((check) => check.ok);
    return { url: target.origin, at, ms, ok, checks, ...(leftOut.length > 0 ? { leftOut } : {}) };
  } finally {
    await context.close();
  }
}

/** The checks that neither are the token's nor need its success. Checks stand after those they need. */
function withoutToken(checks: readonly Check[]): Check[] {
  const out = new Set(["token"]);
  for (const { id, needs } of checks) if (needs.some((needed) => out.has(needed))) out.add(id);
  return checks.filter(({ id }) => !out.has(id));
}

function runChecks(
  checks: readonly Check[],
  context: Context,
  onProgress: DoctorOptions["onProgress"],
): Promise<CheckResult[]> {
  const total = checks.length;
  const running = new Map<string, Promise<CheckResult>>();
  const isUsable = (id: string): boolean =>
    checks.find((check) => check.id === id)?.usable?.(context) ?? false;
  for (const check of checks) {
    // Checks stand after those they need, so these are in the map.
    const needed = check.needs.flatMap((id) => running.get(id) ?? []);
    const result = (async () => {
      const broken = (await Promise.all(needed)).filter((one) => !one.ok && !isUsable(one.id));
      if (broken.length === 0) onProgress?.({ kind: "started", id: check.id, title: check.title, total });
      const outcome = broken.length > 0 ? notTried(check, broken, context) : await runOne(check, context);
      onProgress?.({ kind: "done", result: outcome, total });
      return outcome;
    })();
    running.set(check.id, result);
  }
  return Promise.all(running.values());
}

function notTried(check: Check, broken: CheckResult[], context: Context): CheckResult {
  // The root of it: what was not tried itself only names what really failed.
  const blockedBy = [...new Set(broken.flatMap((one) => one.blockedBy ?? [one.title]))];
  const names = blockedBy.join(" and ");
  return {
    id: check.id,
    title: check.title,
    tried: check.tried(context),
    got: `not tried: ${names} failed`,
    ok: false,
    ms: 0,
    fix: `Fix this first: ${names}`,
    blockedBy,
  };
}

async function runOne(check: Check, context: Context): Promise<CheckResult> {
  const result = await outcomeOf(check, context, () => limited(check, context));
  return { ...result, got: hidden(result.got, context.target.token) };
}

/** Runs a check and gives up after its limit, also when the check itself does not heed its signal. */
async function limited(check: Check, context: Context): Promise<string> {
  const limit = new Limit(check.limitMs ?? context.limitMs);
  return limit.race(check.run(context, limit.signal));
}

/** A server that sends back what it was sent must not bring the token onto the screen. */
function hidden(text: string, token: string | undefined): string {
  return token ? text.replaceAll(token, "[token]") : text;
}
