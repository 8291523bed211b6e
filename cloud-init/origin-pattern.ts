/** A setting `allowedOrigins` entry (docs/settings.md has its forms) as a regular expression of NGINX, without anchors. */
export function originPattern(entry: string): string {
  if (entry === "null") return "null";
  const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  const scheme = /^([a-z][a-z0-9+.-]*:\/\/)\*$/i.exec(entry)?.[1];
  if (scheme !== undefined) return `${literal(scheme)}.*`;
  const wildcard = /^(https?:\/\/)\*(\..+)$/i.exec(entry);
  if (wildcard) return `${literal(wildcard[1] ?? "")}[^/]+${literal(wildcard[2] ?? "")}`;
  if (entry.includes("://")) return literal(entry);
  return `[a-z][a-z0-9+.-]*://${literal(entry)}(?::[0-9]+)?`;
}
