/** RFC 5424, as MCP names them, least severe first. */
const LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

export function isLogLevel(level: unknown): level is string {
  return LEVELS.includes(level as string);
}

/** Whether a client wants a log message. @param least the least severe level that it wants; undefined: none */
export function wantsLog(least: string | undefined, level: string): boolean {
  return least !== undefined && LEVELS.indexOf(level) >= LEVELS.indexOf(least);
}
