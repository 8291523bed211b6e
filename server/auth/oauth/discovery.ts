/** The grant types of this authorization server. */
export const GRANT_TYPES = ["authorization_code", "refresh_token"] as const;

/** The paths of the authorization server. They are those that clients of MCP 2025-03-26 assume when they find no metadata. */
export const ROUTES = {
  authorization: "/authorize",
  token: "/token",
  registration: "/register",
  revocation: "/revoke",
  jwks: "/oauth/jwks",
  end_session: "/oauth/session/end",
} as const;

/** Where a person signs in and consents: `/sign-in/` and the interaction's id. */
export const SIGN_IN_PATH = "/sign-in";
