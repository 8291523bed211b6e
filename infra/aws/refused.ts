/** AWS, or whoever gives out credentials, said no: to ask again changes nothing. The message names what is missing. */
export class RefusedError extends Error {
  override name = "RefusedError";
}
