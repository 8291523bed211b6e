import * as z from "zod";

/** Largest text: an SSM parameter of the standard tier, bytes. */
const MAX_BYTES = 4_096;

const WHAT = "must have user and token for https, or key and knownHosts for ssh";

/** The parameter beside the server's environment that mcp-edge-pull takes for the workspace's unit. */
export const CREDENTIALS_PARAMETER = "WORKSPACE_CREDENTIALS";

const value = z
  .string("must be a text")
  .refine((text) => text !== "" && !text.includes("\0"), "must not be empty, nor hold NUL");

/** Goes into an HTTP header. */
const printable = value.regex(/^[\x21-\x7e]*$/, "must not have blanks or characters beyond ASCII");

const privateKey = value
  .transform((key) => `${key.replaceAll("\r", "").trim()}\n`)
  .refine(
    (pem) => /^-----BEGIN [A-Z ]*PRIVATE KEY-----\n[\s\S]+\n-----END [A-Z ]*PRIVATE KEY-----\n$/.test(pem),
    { error: "must be a private key in PEM", abort: true },
  )
  .refine(
    (pem) => !isEncrypted(pem),
    "must be a key without a passphrase, which nobody can enter on the machine; make one: ssh-keygen -t ed25519 -N '' -f deploy-key",
  );

const knownHosts = value
  .transform((text) =>
    text
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== "" && !line.startsWith("#")),
  )
  .refine(
    (lines) =>
      lines.length > 0 &&
      lines.every((line) => /^(@cert-authority )?\S+ (ssh-|ecdsa-|sk-)\S+ [A-Za-z0-9+/=]+/.test(line)),
    "must be the lines of: ssh-keyscan HOST",
  )
  .transform((lines) => `${lines.join("\n")}\n`);

const withToken = z.strictObject({
  user: printable.refine((user) => !user.includes(":"), 'must not hold ":"'),
  token: printable,
});

/** The key is OpenSSH's PEM; the known hosts are the host's own keys, so that nobody else can stand in for it. */
const withKey = z.strictObject({ key: privateKey, knownHosts });

/**
 * What a private repository asks for: a user with a token over https, or a deploy key over ssh. Messages never hold a value.
 */
export const workspaceCredentials = z.record(z.string(), z.unknown(), WHAT).transform((given, context) => {
  const keys = Object.keys(given).sort().join();
  const schema = { "token,user": withToken, "key,knownHosts": withKey }[keys];
  if (!schema) {
    context.addIssue(WHAT);
    return z.NEVER;
  }
  const { data, error } = schema.safeParse(given);
  for (const issue of error?.issues ?? [])
    context.addIssue({ code: "custom", path: issue.path, message: issue.message });
  return data ?? z.NEVER;
});

export type WorkspaceCredentials = z.output<typeof workspaceCredentials>;

/** OpenSSH's own format names its cipher in the first bytes, the older ones in a header. */
function isEncrypted(pem: string): boolean {
  if (/ENCRYPTED/.test(pem)) return true;
  if (!pem.startsWith("-----BEGIN OPENSSH")) return false;
  const bytes = Buffer.from(pem.split("\n").slice(1, -2).join(""), "base64");
  // "openssh-key-v1\0", then the cipher's name with its length before it
  return bytes.subarray(19, 19 + 4).toString() !== "none";
}

/** The two settings that belong together. */
export interface PrivateWorkspace {
  /** A folder or an address. */
  workspace: string;
  workspaceCredentials?: WorkspaceCredentials | undefined;
}

/** What is wrong between the credentials and the workspace's address, or undefined. Pure. */
export function credentialsProblem(settings: PrivateWorkspace): string | undefined {
  const { workspace, workspaceCredentials } = settings;
  if (!workspaceCredentials) return undefined;
  if ("token" in workspaceCredentials) {
    if (!/^https:\/\//.test(workspace) || !URL.canParse(workspace))
      return "has a token, which is for a workspace with an https:// address";
  } else if (!/^ssh:\/\//.test(workspace) && !/^[\w.-]+@[\w.-]+:/.test(workspace))
    return "has a key, which is for a workspace with an ssh:// address";
  const bytes = Buffer.byteLength(credentialFile(settings));
  return bytes > MAX_BYTES
    ? `has ${bytes} bytes, and ${MAX_BYTES} are what AWS keeps; take a key of ed25519, and the host's keys of one kind`
    : undefined;
}

/**
 * The credentials as mcp-edge-workspace takes them: git configuration for the one host, or known hosts and the key. Pure.
 *
 * @returns the file's content; "": no credentials
 */
export function credentialFile({ workspace, workspaceCredentials }: PrivateWorkspace): string {
  if (!workspaceCredentials) return "";
  return "token" in workspaceCredentials
    ? gitConfiguration(workspaceCredentials, new URL(workspace).origin)
    : `${workspaceCredentials.knownHosts}${workspaceCredentials.key}`;
}

function gitConfiguration({ user, token }: { user: string; token: string }, origin: string): string {
  const basic = Buffer.from(`${user}:${token}`).toString("base64");
  // A redirect to another host would take the header along.
  return `[http]\n\tfollowRedirects = false\n[http "${origin}/"]\n\textraHeader = "Authorization: Basic ${basic}"\n`;
}
