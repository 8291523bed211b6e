import type { ServerConfig } from "../../config/config.ts";
import type { StoredPeople } from "../../people/stored-people.ts";
import type { AuthEvents } from "../events.ts";
import { IdentityProviders } from "./identity-providers.ts";
import { openProvider } from "./open-provider.ts";
import { missingSecret, readSecrets } from "./secrets.ts";

export interface OpenIdentityProvidersOptions {
  readonly identity: ServerConfig["identity"];
  readonly grants: ServerConfig["grants"];
  readonly issuer: string;
  readonly people: StoredPeople;
  readonly events: AuthEvents;
  readonly onProblem: (problem: Error) => void;
}

/**
 * The identity providers that are configured.
 *
 * @returns undefined when there are none: then nothing of a sign-in changes
 * @throws when a client secret is missing
 */
export async function openIdentityProviders(
  options: OpenIdentityProvidersOptions,
): Promise<IdentityProviders | undefined> {
  const { identity, grants, issuer, people, events, onProblem } = options;
  const { providers, secretsFile, localSignIn, checkMinutes } = identity;
  if (providers.length === 0 || secretsFile === undefined) return undefined;
  const secrets = await readSecrets(secretsFile);
  const grantedGroups = new Set(
    grants.flatMap(({ who }) => (who.startsWith("group:") ? [who.slice("group:".length)] : [])),
  );
  return new IdentityProviders({
    providers: providers.map((settings) => {
      const secret = secrets.get(settings.provider);
      if (!secret) throw new Error(missingSecret(settings.provider, secretsFile));
      return openProvider(settings, secret, grantedGroups);
    }),
    issuer,
    directory: people.directory,
    events,
    grantedGroups,
    localSignIn: localSignIn === "yes",
    checkMs: checkMinutes * 60_000,
    now: people.now,
    onProblem,
  });
}
