import { parseSettings, rawSettings } from "../../infra/settings.ts";
import { stackConfig } from "../stack/workspace.ts";

/** What must be in a provider's form for applications (RFC 6749, section 3.1.2.2). */
export const redirectUri = (domain: string, provider: string) =>
  `https://${domain}/sign-in/callback/${provider}`;

/** A line for each identity provider of a stack. */
export async function redirectUriText(stack: string): Promise<string[]> {
  const { domain, identityProviders } = parseSettings(rawSettings(await stackConfig(stack)), stack);
  return identityProviders.map(
    ({ provider }) => `Redirect URI to register for ${provider}: ${redirectUri(domain, provider)}`,
  );
}
