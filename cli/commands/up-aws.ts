import type { Settings } from "../../infra/settings.ts";
import { connectText } from "../connect/client-setup.ts";
import { redirectUriText } from "../connect/redirect-uris.ts";
import { connectTarget } from "../connect/target.ts";
import type { Enrolment } from "../machine/people.ts";
import { confirm } from "../machine/terminal.ts";
import { type AwsUpResult, upAws } from "../operations/up-aws.ts";
import { type Changes, describeChanges, noChanges } from "../stack/engine-events.ts";
import { changing } from "../stack/interrupt.ts";

interface Options {
  stack: string;
  json: boolean;
  yes: boolean;
}

/**
 * `up` of a stack in AWS.
 * @param given options that are for a stack of this host, such as `--set`
 * @throws Error when there are such, or when nobody can confirm the changes
 */
export async function upInAws(
  { stack, json, yes }: Options,
  { auth, localSignIn }: Settings,
  given: string[],
): Promise<void> {
  const [first] = given;
  if (first !== undefined)
    throw new Error(
      `${first} is for a stack of this host, and ${stack} is in AWS. Its settings are in Pulumi.${stack}.yaml: pulumi config set … --stack ${stack}`,
    );
  const asked = (changes: Changes) =>
    yes
      ? Promise.resolve(true)
      : confirm(
          `${describeChanges(changes, "Would change")} Go on?`,
          `npm run up -- --stack ${stack} --yes, or pulumi up --stack ${stack}`,
        );
  const result = await changing(stack, (signal) =>
    upAws({ stack, auth, localSignIn, json, confirm: asked }, signal),
  );
  if (json) console.log(JSON.stringify(result ?? { stack, changes: {} }, null, 2));
  else console.log(result ? await summary(result) : "Nothing was changed.");
}

async function summary({ stack, url, changes, enrolment, enrolmentProblem }: AwsUpResult): Promise<string> {
  return [
    noChanges(changes) ? "Nothing changed." : describeChanges(changes, "Changed"),
    `URL:   ${url}`,
    ...(enrolment ? [ownerText(enrolment, stack)] : []),
    ...(enrolmentProblem
      ? [
          `Owner: the machine could not be asked whether somebody can sign in already.\n${enrolmentProblem.replace(/^/gm, "       ")}\n       Then: npm run mcp-edge -- user add owner --scopes code:read,ops --stack ${stack}`,
        ]
      : []),
    ...(await redirectUriText(stack)),
    "",
    connectText(await connectTarget(stack), undefined),
    "",
    `Check it: npm run doctor -- --stack ${stack}   Log: npm run mcp-edge -- logs -f --stack ${stack}`,
  ].join("\n");
}

/** How the first person gets in. */
export const ownerText = ({ login, link, linkExpiresAt }: Enrolment, stack: string) =>
  `Owner: ${link}\n       Open it and choose how "${login}" signs in. It works once, until ${linkExpiresAt}. A new one: npm run mcp-edge -- user reset ${login}${stack === "local" ? "" : ` --stack ${stack}`}`;
