import { CheckFailure } from "../check.ts";
import type { Attempt } from "./attempt.ts";
import type { Step } from "./step.ts";

/** What a page in a browser asks before it may send the request (Fetch standard, CORS preflight). */
export const preflight: Step = {
  id: "preflight",
  title: "CORS preflight",
  needs: ["server-metadata"],
  tried: (attempt) =>
    `OPTIONS of ${attempt.endpoint}, the token and the registration endpoint from ${attempt.shape.origin}`,
  async run(attempt, signal) {
    const { token_endpoint: token, registration_endpoint: registration } = attempt.server;
    const endpoints: [string, string][] = [
      [attempt.endpoint.href, "authorization,content-type,mcp-protocol-version,mcp-session-id"],
      [token, "content-type"],
      ...(registration === undefined ? [] : [[registration, "content-type"] as [string, string]]),
    ];
    for (const [url, headers] of endpoints) await allowed(attempt, new URL(url), headers, signal);
    return `${endpoints.length} endpoints let ${attempt.shape.origin} in`;
  },
  fix: "Answer the preflight with Access-Control-Allow-Origin, -Methods and -Headers for this origin",
};

async function allowed(attempt: Attempt, url: URL, wanted: string, signal: AbortSignal): Promise<void> {
  const request = { "access-control-request-method": "POST", "access-control-request-headers": wanted };
  const { headers, status } = await attempt.send(url, { method: "OPTIONS", headers: request }, signal);
  const origin = headers["access-control-allow-origin"];
  if (status >= 300 || (origin !== "*" && origin !== attempt.shape.origin))
    throw new CheckFailure(
      `${url.pathname}: status ${status}, Access-Control-Allow-Origin ${origin ?? "missing"}`,
    );
  const list = String(headers["access-control-allow-headers"] ?? "")
    .toLowerCase()
    .split(/\s*,\s*/);
  // "*" does not cover Authorization (Fetch standard, section 3.3.4).
  const lacking = wanted
    .split(",")
    .filter((name) => !list.includes(name) && !(list.includes("*") && name !== "authorization"));
  if (lacking.length > 0)
    throw new CheckFailure(`${url.pathname}: Access-Control-Allow-Headers lacks ${lacking.join(", ")}`);
}
