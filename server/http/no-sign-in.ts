/** The response to a client that looks for an OAuth sign-in which is not configured. */
export function noSignIn(needsToken: boolean) {
  return {
    error: "invalid_request",
    error_description: needsToken
      ? "This server has no OAuth sign-in: configure the client to send the header Authorization: Bearer mcp_… with every request. Its operator creates a token with: token create --name NAME"
      : "This server has no sign-in and needs none: connect to /mcp without credentials",
  };
}
