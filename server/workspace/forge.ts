import { stateOf } from "./git/state.ts";
import { fileUri } from "./resource-uri.ts";
import type { Repository } from "./workspace.ts";

/** The website of a repository. */
export interface Forge {
  /** `https://host/owner/name`, without credentials. */
  readonly web: string;
  readonly kind: "github" | "gitlab" | "gitea" | "bitbucket" | "sourcehut";
}

/** The kind of forge by the name of its host. Other hosts get no links: a wrong link is worse than none. */
function kindOf(host: string): Forge["kind"] | undefined {
  if (host === "bitbucket.org") return "bitbucket";
  if (host === "codeberg.org" || /(^|[.-])(gitea|forgejo)\b/.test(host)) return "gitea";
  if (host === "git.sr.ht") return "sourcehut";
  if (/(^|[.-])github\b/.test(host)) return "github";
  return /(^|[.-])gitlab\b/.test(host) ? "gitlab" : undefined;
}

/**
 * The web page for the address of a remote (URL or `git@host:path`), without credentials.
 *
 * @returns undefined for a local path
 */
export function webAddress(remote: string): string | undefined {
  const scp = /^(?:[^@/\s]+@)?([\w.-]+):(?!\/\/)([^\s]+)$/.exec(remote);
  const text = scp ? `ssh://${scp[1]}/${scp[2]}` : remote;
  if (!/^(https?|ssh|git|git\+ssh):\/\//.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const path = url.pathname.replace(/\/+$/, "").replace(/\.git$/, "");
  // The port of an ssh address is not that of the web server.
  const host = /^https?:$/.test(url.protocol) ? url.host : url.hostname;
  return host === "" || path.length < 2
    ? undefined
    : `${url.protocol === "http:" ? "http" : "https"}://${host}${path}`;
}

/** The forge of a remote, if the form of its links is known. */
export function forgeOf(remote: string): Forge | undefined {
  const web = webAddress(remote);
  const kind = web === undefined ? undefined : kindOf(new URL(web).hostname);
  return web === undefined || kind === undefined ? undefined : { web, kind };
}

/** The web page of a range of lines at a commit. */
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

/** A link to a range of lines: the web page on the forge, else the URI of the resource. Never empty. */
export function citation(
  place: { repo: string; path: string; from: number; to: number },
  forge: Forge | undefined,
  commit: string,
): string {
  if (forge && commit !== "") return lineUrl(forge, commit, place.path, place.from, place.to);
  return `${fileUri(place.repo, place.path)}#L${place.from}-L${place.to}`;
}

/** The address of the remote `origin`, as in the configuration. It may contain credentials. */
export async function originOf(repo: Repository, signal?: AbortSignal): Promise<string | undefined> {
  const state = await stateOf(repo.root, signal).catch(() => undefined);
  signal?.throwIfAborted();
  return state?.origin;
}
