/**
 * Whether an address has a user with a password, a token in place of a user, or a query, which is where tokens are put. Such an
 * address would land in files that everybody on the machine can read, in the state and in command lines.
 */
export function holdsCredentials(address: string): boolean {
  // host:path, as ssh takes it
  const scp = /^([^/@\s]*)@[^/@\s]+:/.exec(address);
  if (scp) return scp[1]?.includes(":") === true;
  const url = /^([a-z][a-z0-9+.-]*):\/\/([^/]*@)?[^?]*(\?.*)?$/is.exec(address);
  if (!url) return /^[a-z][a-z0-9+.-]*:\/\/.*@/is.test(address);
  const [, scheme = "", user = "", query = ""] = url;
  if (query !== "") return true;
  if (user === "") return /^[^?]*\/\/.*:.*@/.test(address);
  return scheme.toLowerCase() !== "ssh" || user.includes(":");
}

/** Whether the machine clones the address by itself; otherwise it is a folder on this host, whose commits are pushed. */
export const isCloneUrl = (workspace: string): boolean =>
  /^(https?|ssh|git):\/\//.test(workspace) || /^[\w.-]+@[\w.-]+:/.test(workspace);
