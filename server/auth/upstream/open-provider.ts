import { GitHubProvider } from "./github.ts";
import type { Provider } from "./identity.ts";
import { OpenIdProvider } from "./openid.ts";
import type { Rule } from "./rules.ts";
import { SealedTokens } from "./sealed-token.ts";
import type { ProviderSettings } from "./settings.ts";

/** A provider with what was configured for it. */
export interface OpenProvider {
  readonly settings: ProviderSettings;
  readonly provider: Provider;
  readonly tokens: SealedTokens;
}

/**
 * Asks the provider for no more than the rules need.
 *
 * @param grantedGroups groups that GRANTS names, with the provider's prefix
 */
export function openProvider(
  settings: ProviderSettings,
  secret: string,
  grantedGroups: ReadonlySet<string>,
): OpenProvider {
  const rules = [...settings.allow, ...settings.ops];
  const has = (...kinds: Rule["kind"][]) => rules.some(({ kind }) => kinds.includes(kind));
  const granted = [...grantedGroups].some((group) => group.startsWith(`${settings.provider}:`));
  const options = { settings, secret, needsGroups: has("group") || granted };
  const provider =
    settings.provider === "github"
      ? new GitHubProvider({ ...options, needsEmails: has("email", "domain") })
      : new OpenIdProvider(options);
  return { settings, provider, tokens: new SealedTokens(secret) };
}
