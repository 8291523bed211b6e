import { CheckFailure } from "../check.ts";
import type { Attempt } from "./attempt.ts";
import { oauthErrorOf, preview, type Reply } from "./http.ts";
import { registered } from "./registration.ts";
import type { Step } from "./step.ts";

/** The URL that the client opens in the person's browser. @param resource `undefined`: leaves the parameter out */
export function authorizeUrl(attempt: Attempt, resource: string | undefined): URL {
  const url = new URL(attempt.server.authorization_endpoint);
  const query: Record<string, string | undefined> = {
    response_type: "code",
    client_id: attempt.client.id,
    redirect_uri: attempt.shape.redirectUri,
    code_challenge: attempt.challenge,
    code_challenge_method: "S256",
    state: attempt.state,
    scope: attempt.scopes.join(" ") || undefined,
    resource,
  };
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(name, value);
  return url;
}

/** What this client is known to send as `resource`. */
export function resourcesOf(attempt: Attempt): (string | undefined)[] {
  const { resource } = attempt.resource;
  const forms = { exact: resource, slash: `${resource}/`, origin: new URL(resource).origin, none: undefined };
  return attempt.shape.resource.map((form) => forms[form]);
}

/** Cookies of one browser visit, by name. The examined server sets them on its own host. */
export class Visit {
  readonly #cookies = new Map<string, string>();
  readonly #attempt: Attempt;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  /** Opens a page and follows redirects on https; a redirect to the client's own address is handed out as `callback`. */
  async open(
    url: URL,
    signal: AbortSignal,
    form?: URLSearchParams,
  ): Promise<{ page?: Reply; callback?: URL }> {
    let next = url;
    let body = form;
    for (let hops = 0; hops < 10; hops++) {
      const reply = await this.#attempt.send(next, this.#request(body, next), signal);
      for (const cookie of reply.headers["set-cookie"] ?? []) this.#keep(cookie);
      const { location } = reply.headers;
      if (reply.status < 300 || reply.status >= 400 || location === undefined) return { page: reply };
      const to = new URL(location, next);
      if (isCallback(to, this.#attempt.shape.redirectUri)) return { callback: to };
      next = to;
      body = undefined;
    }
    throw new CheckFailure(`more than 10 redirects, the last to ${next}`);
  }

  #request(body: URLSearchParams | undefined, url: URL) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    return {
      method: body === undefined ? "GET" : "POST",
      headers: {
        accept: "text/html",
        "user-agent": "Mozilla/5.0 (mcp-edge doctor)",
        ...(cookie === "" ? {} : { cookie }),
        ...(body === undefined
          ? {}
          : { "content-type": "application/x-www-form-urlencoded", origin: url.origin }),
      },
      ...(body === undefined ? {} : { body: body.toString() }),
    };
  }

  #keep(cookie: string): void {
    const [pair = ""] = cookie.split(";");
    const at = pair.indexOf("=");
    const [name, value] = [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    if (value === "" || /;\s*max-age=0(;|$)/i.test(cookie)) this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}

function isCallback(url: URL, redirectUri: string): boolean {
  const wanted = new URL(redirectUri);
  return url.protocol === wanted.protocol && url.host === wanted.host && url.pathname === wanted.pathname;
}

/** The parameters with which the client was called back. @throws CheckFailure for an error, a foreign state or a wrong `iss` */
export function codeOf(callback: URL, attempt: Attempt): string {
  const error = callback.searchParams.get("error");
  if (error !== null) {
    const description = callback.searchParams.get("error_description");
    throw new CheckFailure(
      `the client is called back with ${error}${description === null ? "" : `: ${description}`}`,
    );
  }
  if (callback.searchParams.get("state") !== attempt.state)
    throw new CheckFailure("state is not what the client sent");
  const { server } = attempt;
  const iss = callback.searchParams.get("iss");
  if (iss !== null && iss !== server.issuer)
    throw new CheckFailure(`iss is "${iss}" instead of "${server.issuer}" (RFC 9207)`);
  if (iss === null && server.authorization_response_iss_parameter_supported) {
    throw new CheckFailure(
      "iss is missing although authorization_response_iss_parameter_supported is true: the client refuses the code",
    );
  }
  const code = callback.searchParams.get("code");
  if (code === null) throw new CheckFailure("there is no code in the callback");
  return code;
}

/** The browser gets to a page where a person can sign in, for every form of `resource` that the client is known to send. */
export const authorization: Step = {
  id: "authorization",
  title: "Sign-in page",
  needs: ["registration"],
  tried: (attempt) => `GET ${attempt.server.authorization_endpoint} as the browser of ${attempt.shape.title}`,
  async run(attempt, signal) {
    for (const resource of resourcesOf(attempt)) {
      const sent = resource === undefined ? "without resource" : `with resource=${resource}`;
      const { page, callback } = await new Visit(attempt).open(authorizeUrl(attempt, resource), signal);
      if (callback !== undefined) {
        try {
          codeOf(callback, attempt);
        } catch (error) {
          throw new CheckFailure(`${sent}: ${(error as Error).message}`);
        }
        continue;
      }
      if (page === undefined || page.status !== 200)
        throw new CheckFailure(`${sent}: ${page === undefined ? "no page" : oauthErrorOf(page)}`);
      if (!/^text\/html\b/.test(page.headers["content-type"] ?? ""))
        throw new CheckFailure(
          `${sent}: ${page.headers["content-type"]} instead of a page: ${preview(page.body)}`,
        );
      assertFormAction(page, attempt);
    }
    const { client, server, shape } = attempt;
    if (client.byDocument && shape.document?.signed && server.registration_endpoint !== undefined) {
      attempt.client = await registered(attempt, signal);
      return `a page; from here on by a dynamic registration, since only ${shape.title} can sign what its document promises`;
    }
    return shape.resource.length > 1
      ? "a page, for every form of resource that this client sends"
      : "a page where people sign in";
  },
  fix: "Compare client_id, redirect_uri, scope and resource in the request with what the server has registered",
};

/** Chromium applies `form-action` to the redirect that answers a form, so the client's address must be allowed. */
function assertFormAction(page: Reply, attempt: Attempt): void {
  const policy = [page.headers["content-security-policy"]].flat().join(";");
  const directive = policy
    .split(";")
    .map((one) => one.trim())
    .find((one) => one.toLowerCase().startsWith("form-action"));
  if (directive === undefined) return;
  const { protocol, origin } = new URL(attempt.shape.redirectUri);
  const sources = directive.split(/\s+/).slice(1);
  const allowed = sources.some(
    (source) => source === "*" || source === protocol || source === origin || source.startsWith(`${origin}/`),
  );
  if (allowed || !/<form/i.test(page.body)) return;
  throw new CheckFailure(
    `Content-Security-Policy has "${directive}": after consent Chromium blocks the redirect to ${origin}`,
    `Add ${origin} to form-action on this page`,
  );
}
