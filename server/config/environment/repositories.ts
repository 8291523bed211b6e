import * as z from "zod";
import { MACHINE_FOLDERS } from "../machine-folders.ts";
import * as type from "../types.ts";
import { variable } from "../variable.ts";

/** Copies of remotes. */
export const sync = z.object({
  remotes: variable("REPOSITORIES", type.remotes, {
    description:
      "Remotes that the server copies into the workspace: `URL` or `NAME=URL`, either with `#BRANCH`, separated by blanks.",
    default: "",
    example: "https://git.example.com/owner/name",
  }),
  credentials: variable("GIT_CREDENTIALS", type.credentials, {
    description:
      "Credentials for these, `https://user:token@host`, separated by blanks. Each is sent to that host only and never logged.",
    default: "",
    example: "https://user:token@git.example.com",
    secret: true,
  }),
  everySeconds: variable("SYNC_SECONDS", type.wholeNumber(10, 86_400), {
    description: "From the end of one round of fetching to the next.",
    default: "600",
    unit: "seconds",
  }),
});

/** The code index. */
export const index = z.object({
  dir: variable("INDEX_DIR", type.absolutePath, {
    description: "Folder of the code index; created if missing.",
    example: MACHINE_FOLDERS.index,
    unset: `\`${MACHINE_FOLDERS.index}\`; in development \`~/.cache/mcp-edge/index\``,
  }),
  pollSeconds: variable("INDEX_POLL_SECONDS", type.wholeNumber(1, 86_400), {
    description: "Interval at which the repositories are checked for changes.",
    default: "10",
    unit: "seconds",
  }),
  typescript: variable("INDEX_TYPESCRIPT", type.choice("yes", "no"), {
    description:
      "Whether the server makes precise indexes of TypeScript and JavaScript, with the compiler in a process of its own.",
    default: "yes",
  }),
  python: variable("INDEX_PYTHON", type.absolutePath, {
    description:
      "The `index.js` of scip-python (npm: `@sourcegraph/scip-python`). The server then makes precise indexes of Python with it, in a process without network, child processes and write access.",
    unset: "none: upload indexes of Python",
    example: "/opt/scip-python/index.js",
  }),
});

/** The service for search by meaning. */
export const embeddings = z.object({
  url: variable("EMBEDDINGS_URL", type.serviceUrl, {
    description: "An OpenAI-compatible API. Adds `search_semantic`. The code is sent there.",
    example: "http://127.0.0.1:11434/v1",
  }),
  model: variable("EMBEDDINGS_MODEL", type.text("a model's name"), {
    description: "The model to ask for.",
    default: "text-embedding-3-small",
  }),
  key: variable("EMBEDDINGS_KEY", type.text("a bearer token"), {
    description: "Sent to the embedding service.",
    secret: true,
  }),
});
