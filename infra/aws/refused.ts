/** AWS or the source of the credentials refused the request, and a retry would not help. The message names what is missing. */
export class RefusedError extends Error {
  override name = "RefusedError";
}
