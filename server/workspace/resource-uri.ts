/** The URI of a file of a repository as a resource: `repo://NAME/PATH`. */
export function fileUri(repo: string, path: string): string {
  return `repo://${encodeURIComponent(repo)}/${path.split("/").map(encodeURIComponent).join("/")}`;
}
