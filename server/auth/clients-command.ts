import { randomBytes } from "node:crypto";
import { Command, InvalidArgumentError } from "commander";
import { readTokenConfig } from "../config/config.ts";
import { normalizeClientMetadata, redirectProblem } from "./oauth/client-metadata.ts";
import { removeClient } from "./oauth/connections.ts";
import { openOAuthStore } from "./oauth/open-oauth-store.ts";
import type { OAuthRecord, OAuthStore } from "./oauth/store.ts";

interface AddOptions {
  name: string;
  redirect: string[];
  secret?: true;
  json?: true;
}

function redirect(uri: string, before: string[] = []): string[] {
  const problem = redirectProblem({ redirect_uris: [uri] });
  if (problem !== undefined) throw new InvalidArgumentError(problem);
  return [...before, uri];
}

/**
 * `clients …`: OAuth clients that the operator registers, for programs that take a client id instead of registering themselves; and those
 * that registered themselves.
 *
 * @throws ConfigError when SESSIONS_DIR or STORE_URL is malformed
 */
export function clientsCommand(env: NodeJS.ProcessEnv, write: (text: string) => void): Command {
  const settings = readTokenConfig(env);
  const command = new Command("clients")
    .description("Register, list and remove OAuth clients (AUTH_MODE=oauth).")
    .exitOverride();
  const withStore = async (work: (store: OAuthStore) => Promise<void>) => {
    const store = await openOAuthStore(settings);
    await work(store).finally(() => store.close());
  };

  command
    .command("add")
    .description("Register a client that needs a client id.")
    .requiredOption("--name <name>", "what people are shown when they are asked to allow it")
    .requiredOption("--redirect <uri>", "where it receives the code; may be repeated", redirect)
    .option("--secret", "give it a secret, for a program that runs on a server")
    .option("--json", "one JSON object instead of text")
    .action((options: AddOptions) =>
      withStore(async (store) => {
        const id = `registered_${randomBytes(8).toString("hex")}`;
        const secret = options.secret ? randomBytes(32).toString("base64url") : undefined;
        const metadata = normalizeClientMetadata({
          client_name: options.name,
          redirect_uris: options.redirect,
          token_endpoint_auth_method: secret === undefined ? "none" : "client_secret_basic",
        });
        const payload = {
          ...metadata,
          client_id: id,
          ...(secret ? { client_secret: secret, client_secret_expires_at: 0 } : {}),
        };
        await store.put({ model: "Client", id, payload });
        if (options.json) write(`${JSON.stringify({ id, ...(secret ? { secret } : {}) })}\n`);
        else write(`Client id: ${id}\n${secret ? `Client secret, shown this once: ${secret}\n` : ""}`);
      }),
    );

  command
    .command("list")
    .description(
      "List the clients that the operator or the clients themselves registered. Those with a metadata document are not registered.",
    )
    .option("--json", "a JSON array instead of text")
    .action((options: { json?: true }) =>
      withStore(async (store) => {
        const clients = (await store.list("Client")).map(shown);
        const text = clients
          .map((c) => `${c.id}  ${c.name}  ${c.registered}  ${c.redirects.join(" ")}\n`)
          .join("");
        write(options.json ? `${JSON.stringify(clients)}\n` : text || "No clients.\n");
      }),
    );

  command
    .command("remove <id>")
    .description(
      "Remove a client and end its access. It must register again, and its users must allow it again.",
    )
    .option("--json", "one JSON object instead of text")
    .action((id: string, options: { json?: true }) =>
      withStore(async (store) => {
        const revoked = await removeClient(store, id, Date.now());
        if (!revoked) throw new Error(`There is no client ${id}; see: clients list`);
        const connections = revoked.length;
        if (options.json) write(`${JSON.stringify({ id, removed: true, connections })}\n`);
        else write(`Removed ${id}; ${connections} connections were cut off.\n`);
      }),
    );

  return command;
}

/** Everything but the secret. */
function shown({ id, payload, expiresAt }: OAuthRecord) {
  const { client_name: name = id, redirect_uris: redirects = [] } = payload as {
    client_name?: string;
    redirect_uris?: string[];
  };
  const registered =
    expiresAt === undefined ? "by the operator" : `by itself, until ${new Date(expiresAt).toISOString()}`;
  return { id, name, registered, redirects };
}
