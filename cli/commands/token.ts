import { Command, InvalidArgumentError } from "commander";
import { machineRef } from "../machine/machine-ref.ts";
import { createToken, revokeToken, type Token, tokens } from "../machine/tokens.ts";
import { type MachineOptions, withMachineOptions } from "./options.ts";

/** "30d", "12h", "15m" or seconds. */
export function seconds(text: string): number {
  const match = /^(\d+)([smhd]?)$/.exec(text);
  const unit = { s: 1, m: 60, h: 3600, d: 86_400 }[match?.[2] || "s"];
  if (!match || !unit || Number(match[1]) < 1)
    throw new InvalidArgumentError("Write it as 30d, 12h, 15m or seconds.");
  return Number(match[1]) * unit;
}

/** Calls a day; 0: no limit. */
function calls(text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new InvalidArgumentError("Write a whole number of calls a day; 0: no limit.");
  return Number(text);
}

/** What is shown of a token. */
export function line({ id, name, scopes, createdAt, expiresAt, ...use }: Token): string {
  const today = `${use.callsToday ?? 0}${use.quota ? ` of ${use.quota}` : ""} calls today`;
  return [
    id,
    name,
    scopes.join(","),
    `made ${createdAt}`,
    expiresAt ? `expires ${expiresAt}` : "does not expire",
    use.lastUsedAt ? `last used ${use.lastUsedAt}` : "never used",
    today,
  ].join("  ");
}

interface Options extends MachineOptions {
  name: string;
  ttl?: number;
  scopes?: string;
  quota?: number;
}

export function tokenCommand(): Command {
  const command = new Command("token")
    .description("Create, list and revoke bearer tokens of the server.")
    .addHelpText(
      "after",
      `
Examples:
  mcp-edge token create --name laptop --ttl 90d
  mcp-edge token create --name ci --scopes index:write --stack prod --json
  mcp-edge token list
  mcp-edge token revoke 3f0c2d1b9a84`,
    );
  withMachineOptions(command.command("create"))
    .description("Create a token. It is shown once and stored hashed.")
    .option("-n, --name <name>", "what it is for", "unnamed")
    .option("--ttl <time>", "how long it lives: 30d, 12h, 15m or seconds (default: until revoked)", seconds)
    .option("--scopes <list>", "comma-separated, of code:read, ops and index:write (default: code:read)")
    .option("--quota <calls>", "maximum number of calls a day (default: the server's; 0: no limit)", calls)
    .action(async ({ stack, machine, json, name, ttl, scopes, quota }: Options) => {
      const made = await createToken(await machineRef(stack, machine), { name, ttl, scopes, quota });
      console.log(json ? JSON.stringify(made) : `${made.token}\n${line(made)}`);
    });
  withMachineOptions(command.command("list"))
    .description("List the tokens that the server accepts, without their secrets.")
    .action(async ({ stack, machine, json }: Options) => {
      const all = await tokens(await machineRef(stack, machine));
      console.log(json ? JSON.stringify(all) : all.map(line).join("\n") || "No tokens.");
    });
  withMachineOptions(command.command("revoke"))
    .description("Revoke a token. It stops working within a second.")
    .argument("<id>", "its id, from `token list`")
    .action(async (id: string, { stack, machine, json }: Options) => {
      await revokeToken(await machineRef(stack, machine), id);
      console.log(json ? JSON.stringify({ id, revoked: true }) : `Token ${id} is revoked.`);
    });
  return command;
}
