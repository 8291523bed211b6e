import * as z from "zod";
import { groupsOf } from "./claims.ts";
import { ProviderDown } from "./identity.ts";
import { providerFetch } from "./provider-fetch.ts";

const Answer = z.object({ value: z.array(z.string()) });

/**
 * The groups of a person who is in more than the 200 that an ID token holds, from Microsoft Graph (`getMemberObjects`; permission
 * `User.Read`). The address in the token is not used: it is deprecated, and a token names no address that we would send a credential to.
 *
 * @param graph origin of Microsoft Graph
 */
export async function entraGroups(accessToken: string, graph: string): Promise<string[]> {
  const response = await providerFetch(graph)(`${graph}/v1.0/me/getMemberObjects`, {
    method: "POST",
    headers: { authorization: `Bearer ${accessToken}`, "content-type": "application/json" },
    body: JSON.stringify({ securityEnabledOnly: false }),
  });
  if (!response.ok)
    throw new ProviderDown(
      `${graph} answered ${response.status} when asked for the groups; the application needs the delegated permission User.Read`,
    );
  return groupsOf(Answer.parse(await response.json()).value);
}
