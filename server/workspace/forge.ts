import { viewOf } from "./git-view.ts";
import type { Repository } from "./workspace.ts";

/** Where a repository can be looked at by people. */
export interface Forge {
  /** `https://host/owner/name`, without credentials. */
  readonly web: string;
  readonly kind: "github" | "gitlab" | "gitea" | "bitbucket" | "sourcehut";
}

/** The kind of forge by its host's name; a host that says nothing of it gets no links, for a wrong link is worse than none. */
function kindOf(host: string): Forge["kind"] | undefined {
  if (host === "bitbucket.org") return "bitbucket";
  if (host === "codeberg.org" || /(^|[.-])(gitea|forgejo)\b/.test(host)) return "gitea";
  if (host === "git.sr.ht") return "sourcehut";
  if (/(^|[.-])github\b/.test(host)) return "github";
  return /(^|[.-])gitlab\b/.test(host) ? "gitlab" : undefined;
}

/**
 * A remote's address (URL or `git@host:path`) as the address of its page, without any credentials in it.
 *
 * @returns undefined for a local path
 */
export function webAddress(remote: string): string | undefined {
  const scp = /^(?:[^@/\s]+@)?([\w.-]+):(?!\/\/)([^\s]+)$/.exec(remote);
  const text = scp ? `ssh://${scp[1]}/${scp[2]}` : remote;
  if (!/^(https?|ssh|git|git\+ssh):\/\//.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const path = url.pathname.replace(/\/+$/, "").replace(/\.git$/, "");
  // The port of an ssh address is not the web server's.
  const host = /^https?:$/.test(url.protocol) ? url.host : url.hostname;
  return host === "" || path.length < 2
    ? undefined
    : `${url.protocol === "http:" ? "http" : "https"}://${host}${path}`;
}

/** The forge of a remote's address, when it is one we know the links of. */
export function forgeOf(remote: string): Forge | undefined {
  const web = webAddress(remote);
  const kind = web === undefined ? undefined : kindOf(new URL(web).hostname);
  return web === undefined || kind === undefined ? undefined : { web, kind };
}

/** The page of some lines of a file at a commit. */
export function lineUrl(forge: Forge, commit: string, path: string, from: number, to: number): string {
  const at = path.split("/").map(encodeURIComponent).join("/");
  const one = from === to;
  switch (forge.kind) {
    case "github":
      return `${forge.web}/blob/${commit}/${at}#L${from}${one ? "" : `-L${to}`}`;
    case "gitlab":
      return `${forge.web}/-/blob/${commit}/${at}#L${from}${one ? "" : `-${to}`}`;
    case "gitea":
      return `${forge.web}/src/commit/${commit}/${at}#L${from}${one ? "" : `-L${to}`}`;
    case "bitbucket":
      return `${forge.web}/src/${commit}/${at}#lines-${from}${one ? "" : `:${to}`}`;
    case "sourcehut":
      return `${forge.web}/tree/${commit}/item/${at}#L${from}${one ? "" : `-${to}`}`;
  }
}

/** A link that is never empty: the forge's page of the lines, else the resource's own address. */
export function citation(
  place: { repo: string; path: string; from: number; to: number },
  forge: Forge | undefined,
  commit: string,
): string {
  if (forge && commit !== "") return lineUrl(forge, commit, place.path, place.from, place.to);
  const path = place.path.split("/").map(encodeURIComponent).join("/");
  return `repo://${encodeURIComponent(place.repo)}/${path}#L${place.from}-L${place.to}`;
}

/** The address of the remote `origin`, as the repository's configuration has it: may hold credentials. */
export async function originOf(repo: Repository, signal?: AbortSignal): Promise<string | undefined> {
  const view = await viewOf(repo.root).catch(() => undefined);
  signal?.throwIfAborted();
  return view?.origin;
}
