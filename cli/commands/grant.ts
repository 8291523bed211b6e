import { Command } from "commander";
import { type Grant, grant, grantsVariable } from "../../infra/settings/grants.ts";
import { changeGrants, readGrants, stackFileOf } from "../stack/grants-file.ts";
import { jsonOption, stackOption } from "./options.ts";

const list = (text: string) => text.split(",").map((one) => one.trim());

interface Lists {
  scopes?: string[];
  repositories?: string[];
  tools?: string[];
}

interface StackOptions {
  stack: string;
  json: boolean;
}

/** @throws Error that names what is wrong */
function grantOf(who: string, { scopes, repositories, tools }: Lists): Grant {
  const made = grant.safeParse({
    who,
    ...(scopes ? { scopes } : {}),
    ...(repositories ? { repositories } : {}),
    ...(tools ? { tools } : {}),
  });
  if (made.success) return made.data;
  const [issue] = made.error.issues;
  throw new Error(`${String(issue?.path[0] ?? "grant")} ${issue?.message}`);
}

const apply = (stack: string) => `Apply it: npm run up${stack === "local" ? "" : ` -- --stack ${stack}`}`;

/** `grant …`: changes the setting `grants` in the stack's file. */
export function grantCommand(fileOf: (stack: string) => string = stackFileOf): Command {
  const command = new Command("grant")
    .description("Change who may see which scopes, repositories and tools (setting `grants`).")
    .addHelpText(
      "after",
      `
Examples:
  mcp-edge grant add group:dev --repositories "app-*" --tools "search_*,read_file"
  mcp-edge grant list --stack prod
  mcp-edge grant remove group:dev`,
    );
  command
    .command("add")
    .description("Add an entry. A list that is left out stands for all.")
    .argument("<who>", "user:LOGIN, group:GROUP, token:NAME or *")
    .option("--scopes <list>", "comma-separated, of code:read, ops and index:write", list)
    .option("--repositories <list>", "comma-separated names or patterns, such as app-*", list)
    .option("--tools <list>", "comma-separated names or patterns, such as search_*", list)
    .addOption(stackOption())
    .addOption(jsonOption())
    .action(async (who: string, { stack, json, ...lists }: Lists & StackOptions) => {
      const added = grantOf(who, lists);
      const all = await changeGrants(fileOf(stack), (grants) => [...grants, added]);
      if (json) return console.log(JSON.stringify(all));
      if (all.length === 1)
        console.log("This is the first grant: from now on a caller without an entry sees nothing.");
      console.log(`${fileOf(stack)} has it. ${apply(stack)}`);
    });
  command
    .command("list")
    .description("List the entries.")
    .addOption(stackOption())
    .addOption(jsonOption())
    .action(async ({ stack, json }: StackOptions) => {
      const grants = await readGrants(fileOf(stack));
      if (json) console.log(JSON.stringify(grants));
      else
        console.log(
          grants.map((one) => grantsVariable([one])).join("\n") ||
            "No grants: every caller sees what the token's scopes permit.",
        );
    });
  command
    .command("remove")
    .description("Remove all entries of somebody.")
    .argument("<who>", "as `grant list` shows it")
    .addOption(stackOption())
    .addOption(jsonOption())
    .action(async (who: string, { stack, json }: StackOptions) => {
      const left = await changeGrants(fileOf(stack), (grants) => {
        if (!grants.some((one) => one.who === who))
          throw new Error(`${fileOf(stack)} has no grant for ${who}; see: npm run mcp-edge -- grant list`);
        return grants.filter((one) => one.who !== who);
      });
      if (json) return console.log(JSON.stringify(left));
      if (left.length === 0)
        console.log("There is no grant left: every caller sees what the token's scopes permit.");
      console.log(`${fileOf(stack)} is changed. ${apply(stack)}`);
    });
  return command;
}
