import type { FastifyBaseLogger } from "fastify";
import type { AppOptions } from "./app-options.ts";
import { openAudit } from "./audit/open-audit.ts";
import { AuthEvents } from "./auth/events.ts";
import { openAuth } from "./auth/open-auth.ts";
import { openUsage } from "./auth/open-usage.ts";
import { AuthTrace } from "./auth/trace.ts";
import { Usage } from "./auth/usage.ts";
import { Capabilities } from "./capabilities/registry.ts";
import { grantedAuth } from "./grants/granted-auth.ts";
import { Grants } from "./grants/grants.ts";
import { Lifecycle } from "./http/lifecycle.ts";
import { openBuckets } from "./http/limits/open-buckets.ts";
import { type Check, ReadinessProbe } from "./http/readiness.ts";
import { Streams } from "./http/streams.ts";
import { CodeIndex } from "./index/code-index.ts";
import { Semantic } from "./index/semantic/semantic.ts";
import { type MetricSources, Metrics } from "./metrics/metrics.ts";
import { requestSample } from "./metrics/request-sample.ts";
import { countCalls } from "./shares/count-calls.ts";
import { Shares } from "./shares/shares.ts";
import { History } from "./status/history.ts";
import { flowsRatio } from "./status/machine.ts";
import { openStore } from "./store/open.ts";
import { withOutages } from "./store/outages.ts";
import { checkedTool } from "./tools/checked-tool.ts";
import { TOOLS } from "./tools/index.ts";
import { observedTool } from "./tools/observed-tool.ts";
import { workspaceCheck } from "./workspace/check.ts";
import { provideGit } from "./workspace/git.ts";
import { findRipgrep, ripgrepVersion } from "./workspace/ripgrep.ts";
import { Sync } from "./workspace/sync/sync.ts";
import { Workspace } from "./workspace/workspace.ts";

/** Everything that the endpoints use and that lives as long as the server. Nothing in it knows of routes. */
export type Services = Awaited<ReturnType<typeof openServices>>;

/**
 * @param logRequest writes the line of a request that has ended
 * @param sessions the sessions of the MCP endpoint, for the metrics
 */
export async function openServices(
  options: Omit<AppOptions, "live" | "profile" | "logStream" | "keepAliveMs">,
  log: FastifyBaseLogger,
  logRequest: ConstructorParameters<typeof Lifecycle>[0],
  sessions: MetricSources["sessions"],
) {
  const { config } = options;
  const lifecycle = new Lifecycle(logRequest);
  const streams = new Streams(options.streams);
  const capabilities = new Capabilities();
  const about = { release: config.release, colour: config.slot };

  const metrics = new Metrics({
    inFlight: () => lifecycle.inFlight,
    openStreams: () => streams.byRoute(),
    queuedBytes: () => streams.queuedBytes,
    sessions,
    trackedFlows: () => flowsRatio(history.machine),
    certificate: () => history.machine?.certificate,
    ...about,
  });
  lifecycle.onEnded = (request, reply) => metrics.request(requestSample(request, reply));
  streams.onEnded = (end) => metrics.streamEnded(end);

  const history = new History({
    totals: () => metrics.totals.read(),
    streams: () => streams.size,
    slot: config.slot,
    release: config.release,
    folder: config.status.dir,
    machineFile: config.status.machineFile,
    onProblem: (problem) => log.warn({ reason: problem.message }, "status"),
  });

  const store = await openSessionStore(options, capabilities, log);
  const onProblem = (problem: Error) => log.warn({ reason: problem.message }, "usage");
  const usage = new Usage(openUsage(config, capabilities, onProblem), { onProblem });
  await usage.flush();
  const buckets = openBuckets(config.storeUrl, capabilities, (reason) => log.warn({ reason }, "limits"));

  const shares = new Shares(config.shares);
  const authEvents = new AuthEvents((error) => log.error({ err: error }, "auth events"));
  const authTrace = new AuthTrace(authEvents);
  const audit = openAudit(config.audit, { metrics, log, events: authEvents });
  const observers = [metrics.calls, ...(audit.calls ? [audit.calls] : []), countCalls(shares.calls)];
  const tools = (options.tools ?? TOOLS).map((tool) => {
    const observed = observedTool(checkedTool(tool), observers);
    return options.tracing?.tool(observed) ?? observed;
  });
  const workspace = new Workspace(config.workspace);
  const index = new CodeIndex({
    ...config.index,
    typescript: config.index.typescript === "yes",
    callMs: options.callMs,
    workspace,
    capabilities,
    log,
  });
  const semantic = new Semantic({
    ...config.index,
    service: config.embeddings,
    callMs: options.callMs,
    workspace,
    capabilities,
    log,
  });
  const onChanged = () => void index.refresh();
  const sync = new Sync({ ...config.sync, dir: config.workspace.dir, log, onChanged });
  await provideGit(capabilities);
  const ripgrep = await provideRipgrep(config.ripgrepPath, capabilities);

  const grants = new Grants(config.grants);
  const opened = await openAuth({
    config,
    people: options.people,
    events: authEvents,
    buckets,
    fetch: options.fetchClientDocument,
    onProblem: (problem) => log.error({ reason: problem.message }, "auth"),
  });
  const auth = grantedAuth(opened, grants);
  const checks: Check[] = [
    { name: "workspace", run: workspaceCheck(workspace, sync) },
    { name: "ripgrep", run: ripgrep.check },
    // Every machine shares the store. If its outage counted, all machines would become unready at once, and most of their work needs no store.
    { name: "store", counts: false, run: () => store.check() },
    { name: "index", run: async () => index.describe() },
    ...auth.checks,
  ];
  return {
    lifecycle,
    streams,
    capabilities,
    metrics,
    history,
    store,
    usage,
    buckets,
    shares,
    tools,
    grants,
    audit,
    index,
    semantic,
    sync,
    context: { workspace, ripgrep: ripgrep.path, index, sync, semantic },
    auth,
    authEvents,
    authTrace,
    readiness: new ReadinessProbe(checks, () => ({ draining: lifecycle.draining, ...about })),
    /** What `/metrics` and `/capz` show. */
    ops: { metrics, capabilities, tools, ...about },
  };
}

async function openSessionStore(
  { store, config }: Pick<AppOptions, "config" | "store">,
  capabilities: Capabilities,
  log: FastifyBaseLogger,
) {
  const onProblem = (reason: string) => log.error({ reason }, "session store");
  const opened = store ?? (await openStore(config, capabilities, onProblem));
  return withOutages(opened, {
    onAway: (reason) =>
      log.error({ reason, store: opened.name }, "session store is away; sessions in memory go on"),
    onBack: () => log.warn({ store: opened.name }, "session store is back"),
  });
}

/** A server without ripgrep starts, says why, and is not ready. */
async function provideRipgrep(path: string | undefined, capabilities: Capabilities) {
  const found = await findRipgrep(path).catch((error: Error) => error);
  const missing = found instanceof Error ? found : undefined;
  const why = missing?.message ?? (await ripgrepVersion(found as string));
  capabilities.set("ripgrep", !missing, why);
  const check = async () => {
    if (missing) throw missing;
    return why;
  };
  return { path: missing ? "rg" : (found as string), check };
}
