/** What a private repository asks for: a user with a token over https, or a deploy key over ssh. */
export type WorkspaceCredentials =
  | { user: string; token: string }
  | {
      /** OpenSSH's PEM, without a passphrase. */
      key: string;
      /** Lines of ssh-keyscan(1): the host's own keys, so that nobody else can stand in for it. */
      knownHosts: string;
    };

/** Largest text: an SSM parameter of the standard tier, bytes. */
const MAX_BYTES = 4_096;

const EXAMPLE =
  'must be {"user":"…","token":"…"} for https, or {"key":"…","knownHosts":"…"} for ssh (JSON; the key in PEM, knownHosts by: ssh-keyscan HOST)';

/**
 * The setting `workspaceCredentials`. Pure; never says a value.
 *
 * @returns what is wrong with the text, or the credentials
 */
export function parseWorkspaceCredentials(text: string): WorkspaceCredentials | string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return EXAMPLE;
  }
  if (typeof parsed !== "object" || parsed === null) return EXAMPLE;
  const keys = Object.keys(parsed).sort().join();
  const all = parsed as Record<string, unknown>;
  if (Object.values(all).some((value) => typeof value !== "string" || value === "" || value.includes("\0")))
    return EXAMPLE;
  const { user = "", token = "", key = "", knownHosts = "" } = all as Record<string, string>;
  if (keys === "token,user") {
    if (/[^\x21-\x7e]/.test(user + token)) return "has a blank or an odd character in user or token";
    return user.includes(":") ? 'has a ":" in user' : { user, token };
  }
  if (keys !== "key,knownHosts") return EXAMPLE;
  const pem = `${key.replaceAll("\r", "").trim()}\n`;
  if (!/^-----BEGIN [A-Z ]*PRIVATE KEY-----\n[\s\S]+\n-----END [A-Z ]*PRIVATE KEY-----\n$/.test(pem))
    return "has no private key in PEM under key";
  if (isEncrypted(pem))
    return "has a key with a passphrase, which nobody can enter on the machine; make one without: ssh-keygen -t ed25519 -N '' -f deploy-key";
  const hosts = knownHosts
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (
    hosts.length === 0 ||
    hosts.some((line) => !/^(@cert-authority )?\S+ (ssh-|ecdsa-|sk-)\S+ [A-Za-z0-9+/=]+/.test(line))
  )
    return "has a line under knownHosts that is none of: ssh-keyscan HOST";
  return { key: pem, knownHosts: `${hosts.join("\n")}\n` };
}

/** OpenSSH's own format names its cipher in the first bytes, the older ones in a header. */
function isEncrypted(pem: string): boolean {
  if (/ENCRYPTED/.test(pem)) return true;
  if (!pem.startsWith("-----BEGIN OPENSSH")) return false;
  const bytes = Buffer.from(pem.split("\n").slice(1, -2).join(""), "base64");
  // "openssh-key-v1\0", then the cipher's name with its length before it
  return bytes.subarray(19, 19 + 4).toString() !== "none";
}

/**
 * What is wrong between the credentials and the workspace's address, or undefined. Pure.
 *
 * @param workspace the setting: a folder or an address
 */
export function credentialsProblem(credentials: WorkspaceCredentials, workspace: string): string | undefined {
  if ("token" in credentials)
    return /^https:\/\//.test(workspace)
      ? undefined
      : "workspaceCredentials has a token, which is for a workspace with an https:// address";
  return /^ssh:\/\//.test(workspace) || /^[\w.-]+@[\w.-]+:/.test(workspace)
    ? undefined
    : "workspaceCredentials has a key, which is for a workspace with an ssh:// address";
}

/**
 * The credentials as mcp-edge-workspace takes them: git configuration for the one host, or known hosts and the key. Pure.
 *
 * @throws Error when it is longer than a parameter of SSM may be
 */
export function credentialFile(credentials: WorkspaceCredentials, workspace: string): string {
  const text =
    "token" in credentials
      ? gitConfiguration(credentials, new URL(workspace).origin)
      : `${credentials.knownHosts}${credentials.key}`;
  if (Buffer.byteLength(text) > MAX_BYTES)
    throw new Error(
      `workspaceCredentials has ${Buffer.byteLength(text)} bytes, and ${MAX_BYTES} are what AWS keeps; take a key of ed25519, and the host's keys of one kind`,
    );
  return text;
}

function gitConfiguration({ user, token }: { user: string; token: string }, origin: string): string {
  const basic = Buffer.from(`${user}:${token}`).toString("base64");
  // A redirect to another host would take the header along.
  return `[http]\n\tfollowRedirects = false\n[http "${origin}/"]\n\textraHeader = "Authorization: Basic ${basic}"\n`;
}
