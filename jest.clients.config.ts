import type { Config } from "jest";
import shared from "./jest.config.ts";

/** `npm run test:clients`: the published MCP clients of several languages; see test/clients. */
const config: Config = {
  ...shared,
  testMatch: ["<rootDir>/test/clients/**/*.test.ts"],
  testPathIgnorePatterns: [],
};

export default config;
