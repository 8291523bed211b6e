import { tokenCommand } from "../../../server/auth/token-command.ts";

/** Makes a token by the command, in the tokens file that `env` names. */
export async function makeToken(
  env: Record<string, string>,
  ...options: string[]
): Promise<{ id: string; token: string }> {
  let written = "";
  const command = tokenCommand(env, (text) => {
    written += text;
  });
  await command.parseAsync(["create", "--name", "test", "--json", ...options], { from: "user" });
  return JSON.parse(written);
}
