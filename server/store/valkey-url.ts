import type { RedisOptions } from "iovalkey";

const SCHEMES = ["valkey:", "redis:", "valkeys:", "rediss:", "unix:"];

/**
 * Reads STORE_URL: `valkey://[user:password@]host[:6379][/db]`, `valkeys://…` for TLS (`redis` and `rediss` mean the same), or
 * `unix:///path/to/socket[?db=0]`.
 *
 * @throws with an example, never with the URL itself: it may hold a password
 */
export function parseStoreUrl(text: string): RedisOptions & { shown: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !SCHEMES.includes(url.protocol))
    throw new Error("is not the URL of a Valkey or Redis server, such as valkey://127.0.0.1:6379/0");
  const credentials = {
    ...(url.username ? { username: decodeURIComponent(url.username) } : {}),
    ...(url.password ? { password: decodeURIComponent(url.password) } : {}),
  };
  if (url.protocol === "unix:") {
    const path = decodeURIComponent(url.pathname);
    if (url.host || path.length < 2)
      throw new Error("has no absolute path of a socket, such as unix:///run/valkey/valkey.sock");
    return { path, db: number(url.searchParams.get("db") ?? "0"), ...credentials, shown: path };
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (!host) throw new Error("has no host, such as valkey://127.0.0.1:6379/0");
  const port = url.port ? Number(url.port) : 6379;
  const db = number(url.pathname.slice(1) || "0");
  const tls = url.protocol === "valkeys:" || url.protocol === "rediss:" ? { tls: {} } : {};
  return { host, port, db, ...tls, ...credentials, shown: `${url.hostname}:${port}/${db}` };
}

function number(text: string): number {
  if (!/^\d{1,4}$/.test(text))
    throw new Error("does not end in a database number, such as valkey://127.0.0.1:6379/0");
  return Number(text);
}
