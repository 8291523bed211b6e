import { Command } from "commander";
import { startAdmin } from "./admin.ts";
import { createApp, type ServerApp } from "./app.ts";
import { auditCommand } from "./audit/audit-command.ts";
import { clientsCommand } from "./auth/clients-command.ts";
import { keysCommand } from "./auth/keys-command.ts";
import { tokenCommand } from "./auth/token-command.ts";
import { PROCESS_VARIABLES, readConfig, type ServerConfig } from "./config/config.ts";
import { Environment } from "./config/environment.ts";
import { environmentHelp } from "./config/reference.ts";
import { ConfigError } from "./config/variable.ts";
import { drain } from "./drain.ts";
import { listen } from "./listen.ts";
import { userCommand } from "./people/user-command.ts";
import { Periodic } from "./periodic.ts";
import { makeStop } from "./stop.ts";
import { Notifier } from "./systemd/notify.ts";
import { openTracing } from "./tracing/open.ts";
import { VERSION } from "./version.ts";

/** How long closing may take after the drain, milliseconds. The unit's TimeoutStopSec= is five seconds longer than DRAIN_SECONDS. */
const CLOSE_MS = 4_500;

const COMMANDS = {
  token: { description: "Create, list and revoke tokens.", make: tokenCommand },
  user: { description: "Add, list, remove and reset the people who may sign in.", make: userCommand },
  clients: { description: "Register, list and remove OAuth clients.", make: clientsCommand },
  keys: { description: "List and rotate the keys that sign access tokens.", make: keysCommand },
  audit: { description: "List and verify the audit log.", make: auditCommand },
};

/** Exit codes: 0 after a drain or a command, 1 if it could not start or failed. */
async function main(): Promise<void> {
  const program = new Command("mcp-edge-server")
    .description("Serves a folder of git repositories over MCP and HTTP. Configured by the environment.")
    .version(VERSION)
    .addHelpText("after", `\n${environmentHelp(Environment)}`)
    .action(async () => {
      const config = readConfig(process.env);
      for (const name of PROCESS_VARIABLES) delete process.env[name];
      await serve(config);
    });
  const write = (text: string) => void process.stdout.write(text);
  for (const [name, { description, make }] of Object.entries(COMMANDS)) {
    // They read the environment, so each is created only when it is used.
    // The options are those of their subcommands: where none is given, that is the fault, and not that an option is unknown.
    if (process.argv[2] === name) program.addCommand(make(process.env, write).allowUnknownOption());
    else program.command(name).description(`${description} See: ${name} --help`);
  }
  await program.parseAsync();
}

async function serve(config: ServerConfig): Promise<void> {
  const tracing = await openTracing(config);
  const app = await createApp({ config, tracing });
  const log = app.http.log;
  process.on("unhandledRejection", (reason) => log.error({ err: reason }, "unhandled rejection"));
  const notifier = new Notifier(config.systemd.notifySocket);
  const admin = config.adminSocket ? await startAdmin(config.adminSocket, app) : undefined;

  const state = await app.readiness.probe();
  const failures = Object.entries(state.checks).filter(([, check]) => check.counts && !check.ok);
  for (const [name, { detail }] of failures) log.warn({ check: name, reason: detail }, "not ready");
  if (failures.some(([, check]) => !check.recovers)) {
    const reasons = failures.map(([name, { detail }]) => `${name}: ${detail}`);
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
  // Last: from here on, connections arrive. The previous server on the same socket may stop now.
  await listen(app, config.listen);
  const { watchdogMs } = config.systemd;
  if (watchdogMs !== undefined)
    new Periodic({
      // Half of the interval, as sd_watchdog_enabled(3) recommends.
      everyMs: watchdogMs / 2,
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
      `no token is needed (AUTH_MODE=none, loopback only); connect: claude mcp add --transport http mcp-edge ${origin}/mcp`,
    );
}

main().catch((error: Error) => {
  process.stderr.write(`${error instanceof ConfigError ? error.message : `mcp-edge: ${error.message}`}\n`);
  process.exit(1);
});
