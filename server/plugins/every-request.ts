/** What every endpoint depends on: the plugins whose hooks each request passes. */
export const EVERY_REQUEST = [
  "lifecycle",
  "error-handler",
  "empty-bodies",
  "security-headers",
  "cors",
  "rate-limits",
  "caller-context",
  "quotas",
] as const;
