/** The answer where a client looks for a sign-in that there is not. */
export function noSignIn(needsToken: boolean) {
  return {
    error: "invalid_request",
    error_description: needsToken
      ? "This server has no OAuth sign-in: configure the client to send the header Authorization: Bearer mcp_… with every request. Its operator makes a token with: token create --name NAME"
      : "This server has no sign-in and needs none: connect to /mcp without credentials",
  };
}
