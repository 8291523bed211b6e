import * as z from "zod";
import { type Check, CheckFailure } from "../../check.ts";
import { askHttps } from "../../clients/http1.ts";

export interface IdentityProvider {
  /** As the server's check names it: `google`, `github`, `entra` or `oidc`. */
  readonly provider: string;
  /** What is read there: metadata of an OpenID provider, or a page that needs no credential. */
  readonly url: string;
  /** The issuer that the metadata must name; undefined: it is not an OpenID provider. */
  readonly issuer: string | undefined;
  /** What must be registered at the provider. */
  readonly redirectUri: string;
}

const Metadata = z.object({ issuer: z.string() });
const Readiness = z.object({ checks: z.record(z.string(), z.object({ ok: z.boolean() })).optional() });

/** Whether an identity provider answers, here and to the machine. What is registered there nobody but its operator sees. */
export const identityProviderCheck = ({ provider, url, issuer, redirectUri }: IdentityProvider): Check => ({
  id: `identity-${provider}`,
  title: `Sign-in: ${provider}`,
  needs: ["tcp"],
  tried: () => `GET ${url}, and the machine's own check in /readyz`,
  async run(context, signal) {
    const response = await fetch(url, {
      signal,
      redirect: "manual",
      headers: { accept: "application/json" },
    });
    if (!response.ok) throw new CheckFailure(`${url} answers ${response.status}`);
    if (issuer !== undefined) {
      const named = Metadata.safeParse(await response.json().catch(() => undefined)).data?.issuer;
      if (named?.replace(/\/$/, "") !== issuer.replace(/\/$/, ""))
        throw new CheckFailure(
          named === undefined ? "there is no metadata" : `its metadata is of another issuer: ${named}`,
          "Write the issuer as its metadata spells it: setting identityProviders",
        );
    }
    const { body } = await askHttps(context, { path: "/readyz" }, signal);
    const checks = Readiness.safeParse(parsed(body)).data?.checks;
    if (checks?.[`identity-${provider}`]?.ok === false)
      throw new CheckFailure(
        "it answers here, but not to the machine",
        `npm run mcp-edge -- shell -- curl -s --unix-socket /run/mcp-edge/blue.sock http://localhost/readyz`,
      );
    return `it answers; registered there must be ${redirectUri}`;
  },
  fix: () => `Open ${url} in a browser. People who are signed in go on for a day meanwhile.`,
});

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
