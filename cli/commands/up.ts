import { Command } from "commander";
import { parseSettings, rawSettings } from "../../infra/settings.ts";
import { connectText } from "../connect/client-setup.ts";
import { redirectUriText } from "../connect/redirect-uris.ts";
import { connectTarget } from "../connect/target.ts";
import { renderForTerminal } from "../doctor/render.ts";
import type { DoctorReport } from "../doctor/run.ts";
import { doctorOf } from "../operations/doctor.ts";
import { type UpResult, up } from "../operations/up.ts";
import { describeChanges, noChanges } from "../stack/engine-events.ts";
import { changing } from "../stack/interrupt.ts";
import { readSecrets } from "../stack/secret-settings.ts";
import { stackConfig } from "../stack/workspace.ts";
import { jsonOption, setOption, stackOption } from "./options.ts";
import { ownerText, upInAws } from "./up-aws.ts";

interface Options {
  stack: string;
  set: Record<string, string>;
  workspace?: string;
  json: boolean;
  replace: boolean;
  doctor: boolean;
  yes: boolean;
}

export const upCommand = () =>
  new Command("up")
    .description("Create the machine or update it in place, check it from outside, and say how to connect.")
    .addOption(stackOption())
    .option("-w, --workspace <path-or-url>", "git repository that the tools read (default: where you are)")
    .addOption(setOption())
    .option("--replace", "replace the machine by a new one; certificates, tokens and workspace stay", false)
    .option("--no-doctor", "do not check the result from outside")
    .option("-y, --yes", "of a stack in AWS: make the changes without asking", false)
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Examples:
  npm run up                                         this repository, on a Debian guest of this host
  npm run up -- --workspace https://example.com/repo.git
  npm run up -- --stack second --set rateLimit=200   a second machine beside the first
  npm run up -- --stack prod                         a stack in AWS, after a preview and a question`,
    )
    .action(async (options: Options) => {
      const { stack, json, replace, workspace } = options;
      const overrides = {
        ...(await readSecrets(options.set)),
        ...(workspace === undefined ? {} : { workspace }),
      };
      const settings = parseSettings(rawSettings(await stackConfig(stack, overrides)), stack);
      if (settings.target === "aws") {
        const given = Object.keys(overrides).map((key) =>
          key === "workspace" ? "--workspace" : `--set ${key}`,
        );
        return upInAws(options, settings, [...given, ...(replace ? ["--replace"] : [])]);
      }
      const result = await changing(stack, (signal) => up({ stack, overrides, json, replace }, signal));
      const doctor = options.doctor ? await doctorOf(result.deployed, { quiet: json }) : undefined;
      if (json) console.log(JSON.stringify({ ...result, doctor }, null, 2));
      else
        console.log(
          await summary(
            result,
            doctor && { text: renderForTerminal(doctor, process.stdout), protocols: protocols(doctor) },
          ),
        );
      if (doctor && !doctor.ok) process.exitCode = 1;
    });

/** What a client negotiated in doctor's checks, best first. */
function protocols({ checks }: DoctorReport): string {
  const names = { http3: "HTTP/3", http2: "HTTP/2", http1: "HTTP/1.1" };
  const spoken = Object.entries(names).filter(([id]) => checks.some((check) => check.id === id && check.ok));
  return spoken.length > 0
    ? `negotiated: ${spoken.map(([, name]) => name).join(", ")}`
    : "no protocol negotiated";
}

async function summary(
  result: UpResult,
  doctor: { text: string; protocols: string } | undefined,
): Promise<string> {
  const { deployed, changes, token, enrolment } = result;
  const of = deployed.stack === "local" ? "" : ` --stack ${deployed.stack}`;
  // npm takes options after "--" alone.
  const npmOf = of && ` --${of}`;
  const none = "Token: none is needed, anybody who reaches the machine may call (setting auth: none)";
  const shown = token
    ? `Token: ${token.token}\n       Keep it: it is stored hashed and is not shown again. Another: npm run mcp-edge -- token create${of}`
    : `Token: the one that you have (a new one: npm run mcp-edge -- token create${of})`;
  return [
    noChanges(changes) ? "Nothing changed." : describeChanges(changes, "Changed"),
    doctor ? `\n${doctor.text}` : "",
    `URL:   ${deployed.url}${doctor ? `   (${doctor.protocols})` : ""}`,
    result.auth === "none" ? none : shown,
    ...(enrolment ? [ownerText(enrolment, deployed.stack)] : []),
    ...(await redirectUriText(deployed.stack)),
    "",
    connectText(await connectTarget(deployed.stack), token?.token),
    "",
    `Check it:  npm run doctor${npmOf}`,
    `Log:       npm run mcp-edge -- logs${of}`,
    `Remove it: npm run down${npmOf}`,
  ].join("\n");
}
