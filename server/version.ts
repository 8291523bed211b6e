/** The product's name and version, as `initialize` and `server/discover` report them (package.json is tested to agree). */
export const NAME = "mcp-edge";
export const VERSION = "0.1.0";

/** The server as clients see it. */
export const SERVER_INFO = { name: NAME, title: "mcp-edge", version: VERSION } as const;
