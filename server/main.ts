import { startAdmin } from "./admin.ts";
import { createApp, type ServerApp } from "./app.ts";
import { tokenCommand } from "./auth/token-command.ts";
import { ConfigError, readConfig, type ServerConfig } from "./config.ts";
import { drain } from "./drain.ts";
import { listen } from "./listen.ts";
import { Periodic } from "./periodic.ts";
import { makeStop } from "./stop.ts";
import { Notifier, watchdogInterval } from "./systemd/notify.ts";
import { openTracing } from "./tracing/tracing.ts";

/** What the end may take after the drain, milliseconds: the unit's TimeoutStopSec= is five seconds longer than DRAIN_SECONDS. */
const CLOSE_MS = 4_500;

/** Start of the server; `token …` runs the token command instead. Exit codes: 0 well ended, 1 could not start or failed. */
async function main(): Promise<void> {
  if (process.argv[2] === "token") {
    const command = tokenCommand(process.env, (text) => process.stdout.write(text));
    await command.parseAsync(process.argv.slice(3), { from: "user" });
    return;
  }
  const env = { ...process.env };
  const config = readConfig(env);
  // They are for this process alone (sd_listen_fds(3)): no child shall believe that it has a socket.
  for (const name of ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NOTIFY_SOCKET"])
    delete process.env[name];
  await serve(config, env);
}

async function serve(config: ServerConfig, env: NodeJS.ProcessEnv): Promise<void> {
  const tracing = await openTracing(env, config);
  const app = await createApp({ config, tracing });
  const log = app.http.log;
  process.on("unhandledRejection", (reason) => log.error({ err: reason }, "unhandled rejection"));
  const notifier = new Notifier(env);
  const admin = config.adminSocket ? await startAdmin(config.adminSocket, app) : undefined;

  const state = await app.readiness.probe();
  if (!state.ready) {
    const reasons = Object.entries(state.checks).flatMap(([name, c]) =>
      c.ok || !c.counts ? [] : [`${name}: ${c.detail}`],
    );
    await admin?.close();
    throw new Error(`not ready: ${reasons.join("; ")}`);
  }

  const stop = makeStop({
    log,
    limitMs: config.drainSeconds * 1_000 + CLOSE_MS,
    exit: (code) => process.exit(code),
    drain: async (signal) => {
      log.info({ signal, in_flight: app.lifecycle.inFlight, streams: app.streams.size }, "draining");
      notifier
        .send("STOPPING=1")
        .catch((error: Error) => log.warn({ reason: error.message }, "systemd-notify"));
      const clean = await drain(app, config.drainSeconds * 1_000);
      await admin?.close();
      await tracing?.close().catch((error: Error) => log.warn({ reason: error.message }, "tracing"));
      return clean;
    },
  });
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);

  await app.start();
  // Last: from here on connections come, and whoever is ahead of us on the same socket may go.
  await listen(app, config.listen);
  const everyMs = watchdogInterval(env, process.pid);
  if (everyMs !== undefined)
    new Periodic({
      everyMs,
      round: () => notifier.send("WATCHDOG=1"),
      onError: (error) => log.warn({ reason: error.message }, "systemd-notify"),
    }).start();
  await notifier.send("READY=1");
  announce(app, config);
}

function announce(app: ServerApp, config: ServerConfig): void {
  const log = app.http.log;
  const address = app.http.server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const host = config.listen.kind === "tcp" ? config.listen.host : "127.0.0.1";
  const origin = config.publicUrl?.origin ?? `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  log.info({ url: `${origin}/mcp`, auth: config.authMode, workspace: config.workspace.dir }, "ready");
  if (config.dev && config.authMode === "none")
    log.info(
      `no token is asked for (AUTH_MODE=none, loopback only); connect: claude mcp add --transport http mcp-edge ${origin}/mcp`,
    );
}

main().catch((error: Error) => {
  process.stderr.write(`${error instanceof ConfigError ? error.message : `mcp-edge: ${error.message}`}\n`);
  process.exit(1);
});
