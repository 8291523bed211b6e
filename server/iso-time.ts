let at = Number.NaN;
let text = "";

/**
 * A time as ISO 8601 in UTC. The last one is kept: under load, many log lines and records are of the same millisecond.
 *
 * @param now milliseconds since 1970
 */
export function isoTime(now = Date.now()): string {
  if (now !== at) {
    text = new Date(now).toISOString();
    at = now;
  }
  return text;
}
