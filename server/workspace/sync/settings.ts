import { isAbsolute } from "node:path";

/** A repository that the server keeps a copy of. */
export interface Remote {
  /** The name of the folder in the workspace. */
  readonly name: string;
  /** A URL without credentials, or an absolute path. */
  readonly url: string;
  /** undefined for the branch of the remote's HEAD. */
  readonly branch: string | undefined;
}

/** The credential for a host. It is never logged, and never on a command line. */
export interface Credential {
  /** `https://git.example.com`, without a slash at the end. */
  readonly origin: string;
  readonly authorization: string;
}

/**
 * Parses REPOSITORIES: entries separated by blanks or commas, each `URL`, `NAME=URL` or either with `#BRANCH`.
 *
 * @returns the remotes, and a line for each problem. It never contains the entry, which may contain a credential
 */
export function parseRemotes(text: string): { remotes: Remote[]; problems: string[] } {
  const remotes: Remote[] = [];
  const problems: string[] = [];
  for (const [n, entry] of text
    .split(/[\s,]+/)
    .filter(Boolean)
    .entries()) {
    const which = `entry ${n + 1}`;
    const parts = /^(?:([\w][\w.-]*)=)?([^#]+)(?:#(.+))?$/.exec(entry);
    const url = parts?.[2] ?? "";
    const problem = wrong(url, parts?.[3]);
    if (problem) {
      problems.push(`${which} ${problem}`);
      continue;
    }
    const name = parts?.[1] ?? nameOf(url);
    if (!/^[\w][\w.-]{0,99}$/.test(name)) problems.push(`${which} has no name; write NAME=URL`);
    else if (remotes.some((r) => r.name === name))
      problems.push(`${which} is the second one named ${name}; write OTHER-NAME=URL`);
    else remotes.push({ name, url, branch: parts?.[3] });
  }
  return { remotes, problems };
}

function wrong(url: string, branch: string | undefined): string | undefined {
  if (branch !== undefined && !/^[\w][\w./-]*$/.test(branch)) return "names no valid branch; write URL#main";
  if (isAbsolute(url)) return undefined;
  if (!URL.canParse(url)) return "is neither a URL nor an absolute path; write https://host/owner/name";
  const { protocol, username, password, search } = new URL(url);
  if (!["https:", "http:", "file:", "ssh:", "git:"].includes(protocol))
    return "has a protocol that is not fetched; write https://host/owner/name";
  // The address of a repository has no query, but some put tokens there.
  if (password || search || (username && protocol !== "ssh:"))
    return "holds credentials; move them to GIT_CREDENTIALS=https://user:token@host";
  return undefined;
}

function nameOf(url: string): string {
  return (url.replace(/\/+$/, "").split(/[/:]/).at(-1) ?? "").replace(/\.(git|bundle)$/, "");
}

/**
 * Parses GIT_CREDENTIALS: entries separated by blanks, each `https://user:token@host`, percent-encoded as in a URL.
 *
 * @returns the credentials, and a line for each problem. It never contains the entry
 */
export function parseCredentials(text: string): { credentials: Credential[]; problems: string[] } {
  const credentials: Credential[] = [];
  const problems: string[] = [];
  for (const [n, entry] of text.split(/\s+/).filter(Boolean).entries()) {
    const url = URL.canParse(entry) ? new URL(entry) : undefined;
    if (!url || !/^https?:$/.test(url.protocol) || !url.password) {
      problems.push(`entry ${n + 1} is not a credential; write https://user:token@host`);
      continue;
    }
    const pair = decoded(`${url.username}:${url.password}`);
    if (pair === undefined) {
      problems.push(`entry ${n + 1} has a "%" that starts no percent-encoding; write %25`);
      continue;
    }
    const authorization = `Basic ${Buffer.from(pair).toString("base64")}`;
    credentials.push({ origin: url.origin, authorization });
  }
  return { credentials, problems };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
