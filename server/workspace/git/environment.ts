/** The environment of each git process: no configuration of the system or an account, and no prompts. */
export const GIT_BASE_ENV: Readonly<Record<string, string>> = {
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_ATTR_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
};

/** The same for a served repository, which may belong to anyone. The variables of its view (see view.ts) are added. */
export const GIT_ENV: Readonly<Record<string, string>> = {
  ...GIT_BASE_ENV,
  GIT_OPTIONAL_LOCKS: "0",
  // In a partial clone git would fetch missing objects from the remote.
  GIT_NO_LAZY_FETCH: "1",
  GIT_ALLOW_PROTOCOL: "",
};
