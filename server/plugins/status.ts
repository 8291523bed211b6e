import fp from "fastify-plugin";
import { requireAllowedHost } from "../http/hosts.ts";
import type { Streams } from "../http/streams.ts";
import { noStatusPage, statusPage } from "../pages/status.ts";
import { type StatusAccessOptions, statusAccess } from "../status/access.ts";
import { loadChartAssets } from "../status/chart-assets.ts";
import { sendStatus } from "../status/events.ts";
import type { History } from "../status/history.ts";
import { snapshot } from "../status/snapshot.ts";
import { keptForGood } from "./assets.ts";
import { EVERY_REQUEST } from "./every-request.ts";

/** Open streams of figures at the same time. */
const MAX_OPEN = 50;

export interface StatusOptions extends StatusAccessOptions {
  readonly hosts: string[];
  readonly history: History;
  readonly streams: Streams;
}

/** `/status`, `/status.json` and `/status/events`: the last hour of this machine, for the scope `ops`. */
export const status = fp<StatusOptions>(
  async (app, { hosts, history, streams, ...options }) => {
    const access = statusAccess(options);
    const onRequest = requireAllowedHost(hosts);
    const assets = loadChartAssets();
    let open = 0;

    for (const { path, type, text } of Object.values(assets ?? {}))
      app.get(path, async (_request, reply) => reply.headers(keptForGood(type)).send(text));

    app.get("/status", { exposeHeadRoute: false, onRequest }, async (request, reply) => {
      const { accept } = request.headers;
      const wantsPage = accept?.includes("text/html") === true || !accept?.includes("application/json");
      const found = await access(request, reply);
      reply.header("vary", "accept");
      if (found.verdict === "answered") return reply;
      if (found.verdict === "sign-in")
        return reply.header("cache-control", "no-store").redirect(found.url, 303);
      if (found.verdict === "refused") {
        const { headers, body } = noStatusPage(found.person);
        return reply.code(403).headers(headers).send(body);
      }
      if (!wantsPage) return reply.header("cache-control", "no-store").send(snapshot(history));
      const { headers, body } = statusPage({
        snapshot: snapshot(history),
        now: Date.now(),
        account: found.person !== undefined,
        assets: assets && { script: assets.script.path, style: assets.style.path },
      });
      return reply.headers(headers).send(body);
    });

    app.get("/status.json", { exposeHeadRoute: false, onRequest }, async (request, reply) => {
      const found = await access(request, reply);
      if (found.verdict === "allowed")
        return reply.header("cache-control", "no-store").send(snapshot(history));
      if (found.verdict === "answered") return reply;
      if (found.verdict === "sign-in") return reply.redirect(found.url, 303);
      return reply.code(403).send({ error: "This needs the scope ops", request_id: request.id });
    });

    app.get("/status/events", { exposeHeadRoute: false, onRequest }, async (request, reply) => {
      const found = await access(request, reply);
      if (found.verdict === "answered") return reply;
      if (found.verdict !== "allowed")
        return reply.code(403).send({ error: "This needs the scope ops", request_id: request.id });
      if (open >= MAX_OPEN)
        return reply
          .code(503)
          .header("retry-after", "10")
          .send({ error: "Too many pages show the status; try again soon", request_id: request.id });
      open++;
      let unsubscribe: () => void = () => undefined;
      const stream = streams.open(reply, {
        route: "/status/events",
        longLived: true,
        onEnd: () => {
          open--;
          unsubscribe();
        },
      });
      unsubscribe = sendStatus(history, stream, found.still);
      return reply;
    });
  },
  { name: "status", dependencies: [...EVERY_REQUEST] },
);
