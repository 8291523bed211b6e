import { stat } from "node:fs/promises";
import { posix } from "node:path";
import {
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  ResourceTemplate,
} from "@modelcontextprotocol/server";
import type { Principal } from "../auth/principal.ts";
import type { Counted } from "../shares/counted.ts";
import { ToolError } from "../tool-error.ts";
import { fileText } from "../workspace/file-text.ts";
import { insidePath } from "../workspace/paths.ts";
import { fileUri } from "../workspace/resource-uri.ts";
import { readRegularFile } from "../workspace/served-file.ts";
import type { Repository, Workspace } from "../workspace/workspace.ts";
import type { ServerParts } from "./server-parts.ts";

/** Size limit of a file that is served as a resource, bytes. read_file reads any part of a larger one. */
const MAX_BYTES = 1024 * 1024;
/** Number of resources on a page of resources/list. */
const PAGE = 100;
/** Maximum number of completions in one answer, set by the protocol. */
const MAX_COMPLETIONS = 100;

/** `+` keeps the slashes of a path (RFC 6570, section 3.2.3). */
const TEMPLATE = "repo://{repo}/{+path}";

/** Media types by file name extension, for files that are not plain text or have a better type. */
const TYPES: Readonly<Record<string, string>> = {
  css: "text/css",
  gif: "image/gif",
  html: "text/html",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  json: "application/json",
  md: "text/markdown",
  pdf: "application/pdf",
  png: "image/png",
  svg: "image/svg+xml",
  webp: "image/webp",
};

/** The repositories' files as resources. Those at the top level are listed; all others are read through the template. */
export function registerResources(server: McpServer, workspace: Workspace, calls: Counted): void {
  const template = new ResourceTemplate(TEMPLATE, {
    list: undefined,
    complete: {
      repo: async (start) => (await names(workspace)).filter((name) => name.startsWith(start)),
      path: (start, context) => completePath(workspace, context?.arguments?.repo, start),
    },
  });
  const about = {
    title: "File of a repository",
    description: "A file that git tracks (or that is new and not ignored), by its path in the repository.",
  };
  server.registerResource("file", template, about, (uri) =>
    calls.run(async () => ({ contents: [await read(workspace, uri.href)] })),
  );
  server.server.setRequestHandler("resources/list", async ({ params }) => {
    const all = (
      await Promise.all((await workspace.repositories()).map((repo) => top(workspace, repo)))
    ).flat();
    const { items, nextCursor } = page(all, params?.cursor, PAGE);
    return { resources: items, ...(nextCursor === undefined ? {} : { nextCursor }) };
  });
}

/** A text that differs when the file does; "" if there is no such file, or it may not be read. */
export async function resourceVersion(workspace: Workspace, uri: string): Promise<string> {
  try {
    const { absolute } = await locate(workspace, uri);
    const { mtimeMs, size, ino } = await stat(absolute);
    return `${mtimeMs}-${size}-${ino}`;
  } catch {
    return "";
  }
}

/** The same; "" also for a file that the caller may not see. */
export async function visibleVersion(
  { grants, context }: Pick<ServerParts, "grants" | "context">,
  principal: Principal,
  uri: string,
): Promise<string> {
  const workspace = grants.access(principal).resources(context.workspace);
  return workspace ? resourceVersion(workspace, uri) : "";
}

/** One spelling for each file: `repo://r//a`, `repo://r/./a` and `repo://r/%61` are `repo://r/a`. Other URIs are as they are. */
export function canonicalUri(uri: string): string {
  try {
    const { protocol, host, pathname, search, hash } = new URL(uri);
    if (protocol !== "repo:" || search || hash) return uri;
    const path = posix.normalize(`/${decodeURIComponent(pathname)}`).slice(1);
    return fileUri(decodeURIComponent(host), path);
  } catch {
    return uri;
  }
}

function mimeOf(path: string): string | undefined {
  return TYPES[path.split(".").at(-1)?.toLowerCase() ?? ""];
}

async function top(workspace: Workspace, repo: Repository) {
  const files = [...(await workspace.files(repo).catch(() => new Set<string>()))];
  return files
    .filter((path) => !path.includes("/"))
    .sort()
    .map((path) => ({
      uri: fileUri(repo.name, path),
      name: `${repo.name}/${path}`,
      mimeType: mimeOf(path) ?? "text/plain",
    }));
}

async function names(workspace: Workspace): Promise<string[]> {
  return (await workspace.repositories()).map((r) => r.name);
}

async function completePath(
  workspace: Workspace,
  repo: string | undefined,
  start: string,
): Promise<string[]> {
  const found = await workspace.find(repo).catch(() => undefined);
  if (!found) return [];
  const files = [...(await workspace.files(found))];
  const begin = files.filter((path) => path.startsWith(start));
  const inside = start === "" ? [] : files.filter((path) => !path.startsWith(start) && path.includes(start));
  return [...begin.sort(), ...inside.sort()].slice(0, MAX_COMPLETIONS);
}

async function locate(workspace: Workspace, uri: string) {
  const { protocol, host, pathname, search, hash } = new URL(uri);
  if (protocol !== "repo:" || search || hash)
    throw new ToolError("The URI is not of the form repo://NAME/PATH.");
  const repo = await workspace.find(decodeURIComponent(host));
  const file = await insidePath(repo, decodeURIComponent(pathname.slice(1)));
  if (!(await workspace.shows(repo, file.real))) throw new ToolError("The file is not served.");
  return file;
}

async function read(workspace: Workspace, uri: string) {
  const file = await locate(workspace, uri).catch(() => {
    throw new ResourceNotFoundError(uri);
  });
  const { size } = await stat(file.absolute);
  if (size > MAX_BYTES)
    throw new ProtocolError(
      ProtocolErrorCode.InvalidParams,
      `${uri} has ${size} bytes, more than the ${MAX_BYTES} of a resource; read a part of it with the tool read_file.`,
      { uri },
    );
  const bytes = await readRegularFile(file.absolute, file.given, AbortSignal.timeout(10_000));
  const mimeType = mimeOf(file.given);
  const text = fileText(bytes);
  if (text === undefined)
    return { uri, mimeType: mimeType ?? "application/octet-stream", blob: bytes.toString("base64") };
  return { uri, mimeType: mimeType ?? "text/plain", text };
}

/**
 * One page of a list. The cursor is the position of the next page. It is valid at any instance, and for a list that has grown.
 *
 * @throws ProtocolError -32602 for a cursor that this server did not issue
 */
function page<T>(
  all: readonly T[],
  cursor: string | undefined,
  size: number,
): { items: T[]; nextCursor?: string } {
  const text = cursor === undefined ? "0" : Buffer.from(cursor, "base64url").toString();
  if (!/^\d{1,9}$/.test(text))
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, "The cursor was not issued by this server.");
  const start = Number(text);
  const end = start + size;
  const items = all.slice(start, end);
  return end < all.length ? { items, nextCursor: Buffer.from(String(end)).toString("base64url") } : { items };
}
