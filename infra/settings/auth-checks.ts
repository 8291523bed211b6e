import type { Contradiction } from "./cross-checks.ts";
import type { Commands, Path } from "./errors.ts";
import { missingSecret, unusedSecret } from "./identity-providers.ts";
import type { Settings } from "./schemas.ts";

/** What lies between the settings of authentication, on both targets. Pure. */
export function authContradictions(settings: Settings, commands: Commands): Contradiction[] {
  const { auth, jwt } = settings;
  const found: Contradiction[] = [];
  const set = (key: string, value?: unknown) => commands.set([key] as Path, value);
  const remove = (key: string) => commands.remove([key]);
  const inAws = settings.target === "aws";

  // A machine on this host is reached from this host alone.
  if (auth === "none" && inAws && !settings.authNoneAllowed)
    found.push({
      text: "auth is none, so anybody on the internet could call the tools and read the workspace",
      fix: `${set("auth", "oauth")}; or, if that is intended, ${set("authNoneAllowed", true)}`,
    });
  if (auth !== "none" && inAws && settings.authNoneAllowed)
    found.push({
      text: `authNoneAllowed confirms auth: none, and auth is ${auth}`,
      fix: remove("authNoneAllowed"),
    });
  if (auth === "jwt" && !jwt) found.push({ text: "auth is jwt, and jwt names no issuer", fix: set("jwt") });
  if (auth !== "jwt" && jwt)
    found.push({
      text: `jwt is for auth: jwt, and auth is ${auth}`,
      fix: `${set("auth", "jwt")}; or ${remove("jwt")}`,
    });
  return [
    ...found,
    ...providerContradictions(settings, commands),
    ...tokenDomainContradictions(settings, commands),
  ];
}

/** Which secrets are missing, for the program alone: the command line reads the settings without any secret. Pure. */
export function missingSecrets(settings: Settings, commands: Commands): Contradiction[] {
  const missing = missingSecret(settings.identityProviders, settings.identityProviderSecrets);
  if (!missing) return [];
  return [
    {
      text: `identityProviders names ${missing}, and identityProviderSecrets has no client secret for it`,
      fix: commands.set(["identityProviderSecrets", missing]),
    },
  ];
}

function providerContradictions(settings: Settings, commands: Commands): Contradiction[] {
  const { auth, identityProviders, identityProviderSecrets, localSignIn } = settings;
  const found: Contradiction[] = [];
  if (identityProviders.length > 0 && auth !== "oauth")
    found.push({
      text: `identityProviders is for auth: oauth, and auth is ${auth}`,
      fix: `${commands.set(["auth"], "oauth")}; or ${commands.remove(["identityProviders"])}`,
    });
  const unused = unusedSecret(identityProviders, identityProviderSecrets);
  if (unused)
    found.push({
      text: `identityProviderSecrets has a secret for ${unused}, which identityProviders does not name`,
      fix: commands.remove(["identityProviderSecrets", unused]),
    });
  if (!localSignIn && identityProviders.length === 0)
    found.push({
      text: "localSignIn is false, and identityProviders names nobody else who could sign in",
      fix: `${commands.set(["localSignIn"], true)}; or ${commands.set(["identityProviders"])}`,
    });
  return found;
}

function tokenDomainContradictions(settings: Settings, commands: Commands): Contradiction[] {
  const { auth, domain, tokenDomain } = settings;
  if (!tokenDomain) return [];
  if (auth === "token" || auth === "none")
    return [
      {
        text: `tokenDomain is for a server where clients sign in, and auth is ${auth}`,
        fix: commands.remove(["tokenDomain"]),
      },
    ];
  const fix = commands.set(["tokenDomain"], `token.${domain}`);
  if (tokenDomain === domain)
    return [{ text: "tokenDomain is the domain itself, and must be a second name of the machine", fix }];
  const zone = settings.target === "aws" ? settings.zone : "";
  if (zone && tokenDomain !== zone && !tokenDomain.endsWith(`.${zone}`))
    return [{ text: `zone ${zone} does not hold the tokenDomain ${tokenDomain}`, fix }];
  return [];
}
