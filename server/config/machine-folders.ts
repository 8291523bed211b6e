/** On the machine; in development some of these are not used (see `readConfig`). */
export const MACHINE_FOLDERS = {
  sessions: "/srv/mcp-edge/state/sessions",
  workspace: "/srv/mcp-edge/workspace",
  index: "/srv/mcp-edge/index",
  audit: "/srv/mcp-edge/audit",
} as const;
