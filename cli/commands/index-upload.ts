import { openAsBlob } from "node:fs";
import { Command } from "commander";
import { reasonOf } from "../../infra/reason-of.ts";
import { jsonOption } from "./options.ts";

interface UploadOptions {
  repo?: string;
  commit: string;
  url?: string;
  json: boolean;
}

/** `index …`: the precise indexes of a server. */
export function indexCommand(): Command {
  const command = new Command("index")
    .description(
      "Send precise indexes (SCIP) to a server, so that references and definitions are the compiler's.",
    )
    .addHelpText(
      "after",
      `
The token needs the scope index:write:  mcp-edge token create --name ci --scopes index:write

Example, in CI:
  export MCP_EDGE_URL=https://mcp.example.com MCP_EDGE_TOKEN=...
  scip-go && mcp-edge index upload index.scip --repo shop --commit "$GITHUB_SHA"`,
    );
  command
    .command("upload")
    .description("Send the SCIP index of a commit. It replaces an older one of the same indexer.")
    .argument(
      "<file>",
      "the index: a file of scip-go, scip-java, scip-python, rust-analyzer or another indexer",
    )
    .requiredOption("--commit <hash>", "the commit that was indexed; the server must have it")
    .option("--repo <name>", "the repository, as list_repos names it; optional if there is one")
    .option("--url <url>", "address of the server (default: MCP_EDGE_URL)")
    .addOption(jsonOption())
    .action((file: string, options: UploadOptions) => upload(file, options));
  return command;
}

async function upload(
  file: string,
  { repo, commit, url = process.env.MCP_EDGE_URL, json }: UploadOptions,
): Promise<void> {
  if (!url) throw new Error("Which server? Pass --url https://HOST, or set MCP_EDGE_URL");
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ""))
    throw new Error(`${url} is not the address of a server. Write it as --url https://HOST`);
  const token = process.env.MCP_EDGE_TOKEN;
  if (!token)
    throw new Error(
      "Set MCP_EDGE_TOKEN to a token with the scope index:write (mcp-edge token create --name ci --scopes index:write). It is not an option, because other users of this host can read those",
    );
  const index = await readable(file);
  const target = new URL("/api/index", url);
  target.searchParams.set("commit", commit);
  if (repo !== undefined) target.searchParams.set("repo", repo);
  const response = await fetch(target, {
    method: "PUT",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/octet-stream" },
    body: index,
  }).catch((error: Error) => {
    throw new Error(
      `${target.origin} cannot be reached: ${reasonOf(error)}. Check it: mcp-edge doctor ${target.origin}`,
    );
  });
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (!response.ok)
    throw new Error(
      `The server refused the index (${response.status}): ${body.error ?? response.statusText}`,
    );
  if (json) return console.log(JSON.stringify(body));
  console.log(
    `${body.documents} files and ${body.occurrences} names of ${body.tool}, commit ${String(body.commit).slice(0, 12)}`,
  );
}

async function readable(file: string): Promise<Blob> {
  try {
    return await openAsBlob(file);
  } catch {
    throw new Error(`${file} cannot be read. Create the index first, for example with: scip-go`);
  }
}
