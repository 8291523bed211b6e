import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { CLIENTS } from "../../../../cli/doctor/as/clients.ts";
import { checksAs } from "../../../../cli/doctor/as/index.ts";
import { byLink } from "../../../../cli/doctor/as/sign-in.ts";
import { runDoctor } from "../../../../cli/doctor/run.ts";
import { renderTrace, type TraceEvent } from "../../../../cli/operations/oauth-trace.ts";
import { startAdmin } from "../../../../server/admin.ts";
import { StoredPeople } from "../../../../server/people/stored-people.ts";
import { ANSWER_MS, type Closable, tls1Server } from "../../../cli/doctor/fixture.ts";
import { type Authority, createAuthority } from "../../../cli/http3/servers/certificates.ts";
import { freePort } from "../../../support/free-port.ts";
import { type RunningOAuth, startOAuth } from "./support.ts";

/** The doctor's view of each client, against the product's own server behind a TLS proxy, as NGINX is one. */
let authority: Authority;
let edge: Closable;
let running: RunningOAuth;
let url: string;

beforeAll(async () => {
  authority = createAuthority();
  const port = await freePort();
  edge = await tls1Server(authority.issue("edge.test"), {
    "*": (incoming, response) => {
      const headers = { ...incoming.headers, "x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.7" };
      const { method, url: path } = incoming;
      const call = request({ host: "127.0.0.1", port, method, path, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.on("data", (part) => response.write(part));
        answer.on("end", () => response.end());
      });
      call.on("error", () => response.destroy());
      incoming.on("data", (part) => call.write(part));
      incoming.on("end", () => call.end());
    },
  });
  url = `https://edge.test:${edge.port}`;
  running = await startOAuth({ port, stored: true, env: { PUBLIC_URL: url } });
});
afterAll(async () => {
  await running?.app.close();
  await edge?.close();
  authority?.remove();
});

/** As `user sign-in-link` makes it on the machine. */
async function link(): Promise<URL> {
  const { people } = running.server;
  if (!(people instanceof StoredPeople)) throw new Error("no people in the store");
  const doctor = { login: "doctor", name: "Doctor", groups: [], scopes: ["code:read" as const] };
  const person = (await people.findByLogin("doctor")) ?? (await people.directory.add(doctor));
  return new URL((await people.links.make(person.id, "sign-in")).path, url);
}

test.each(CLIENTS)("$title gets in, up to a tool call", async (shape) => {
  const { checks } = await runDoctor({
    url,
    connect: "127.0.0.1",
    ca: authority.ca,
    auth: "oauth",
    timeoutMs: ANSWER_MS,
    checks: checksAs(shape, { signIn: byLink(link) }),
  });
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(checks.map(({ id }) => id)).toEqual(expect.arrayContaining(["token", "tools", "refresh"]));
});

/** What the private socket of the running slot answers. */
function traceAt(socketPath: string): Promise<TraceEvent[]> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path: "/oauth/trace" }, async (answer) => {
      let text = "";
      for await (const part of answer) text += part;
      resolve(JSON.parse(text));
    });
    call.on("error", reject);
    call.end();
  });
}

test("the trace shows the server's side of each attempt, and what was refused", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-trace-"));
  const socket = join(folder, "admin.sock");
  const admin = await startAdmin(socket, running.app);
  try {
    const events = await traceAt(socket);
    const text = renderTrace(events);
    const steps = [
      "client.registered",
      "authorization.started",
      "consent",
      "token.issued",
      "token.refreshed",
    ];
    for (const step of steps) expect(text).toContain(`· ${step}`);
    // The doctor asks as a client that the server does not know.
    expect(text).toMatch(/✗ token\.refused .*invalid_client/);
    expect(text).toMatch(/^https:\/\/claude\.ai\/oauth\/mcp-oauth-client-metadata, 192\.0\.2\.7$/m);
  } finally {
    await admin.close();
    await rm(folder, { recursive: true });
  }
});

test("without an attempt the trace says so", () => {
  expect(renderTrace([])).toBe("Nobody has tried to sign in since the server started.");
});
